"""Rule `requirements-disagree`: the files name the same requirements.

pip reads `requirements.txt`, conda the pip section of `conda.yaml`, MLflow what `python_env.yaml`
depends on. Where they differ, the model runs with other packages depending on who builds its
environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envkit.formats import conda_yaml, python_env_yaml, requirements_txt
from envkit.validating.files.edits import Edit, conda_with_pip
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line, RequirementFiles
from envkit.validating.finding import Finding, Severity

CODE = "ENV103"
NAME = "requirements-disagree"
SEVERITY = Severity.ERROR
REMEDY = f"write the same in both, or refer to one file with `-r {requirements_txt.FILE_NAME}`"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each name that another file has otherwise than `requirements.txt`, or not at all."""
    mine = facts.requirement_files
    if mine is None or mine.broken:
        return
    for name, other in (
        (facts.python_env_name, facts.python_env_pip),
        (facts.conda_name, facts.conda_pip),
    ):
        if other is not None and other.is_whole:
            if name == facts.conda_name:
                conda = _conda_versions(facts)
            else:
                conda = {}
            yield from _compare(mine, other, name, conda)
            yield from _bounds(mine, other, name, conda)
    if (
        facts.conda is not None
        and facts.conda_pip is None
        and mine.lines
        and not facts.conda.packages
    ):
        problem = f"{facts.conda_name} has no pip section, so conda installs none of {requirements_txt.FILE_NAME}"
        yield Finding(
            rule=CODE, severity=SEVERITY, file=facts.conda_name, problem=problem, remedy=REMEDY
        )


def _compare(
    mine: RequirementFiles, other: RequirementFiles, name: str, conda: dict[str, str]
) -> Iterator[Finding]:
    ours, theirs = mine.names(constraint=False), other.names(constraint=False)
    for key in sorted({*ours, *theirs}):
        left, right = ours.get(key), theirs.get(key)
        if right is None and left is not None and conda:
            told = _against_conda(left, conda.get(key))
        elif left is None or right is None:
            there, absent = (
                (requirements_txt.FILE_NAME, name)
                if right is None
                else (name, requirements_txt.FILE_NAME)
            )
            told = f"`{(left or right).shown}` is in {there} and not in {absent}"  # type: ignore[union-attr]
        else:
            if _meaning(left) == _meaning(right):
                told = ""
            else:
                told = (
                    f"{requirements_txt.FILE_NAME} says `{left.shown}`, {name} says `{right.shown}`"
                )
        if told:
            line = right.line if right is not None else 0
            file = right.file if right is not None else name
            yield Finding(
                rule=CODE, severity=SEVERITY, file=file, line=line, problem=told, remedy=REMEDY
            )


def _bounds(
    mine: RequirementFiles, other: RequirementFiles, name: str, conda: dict[str, str]
) -> Iterator[Finding]:
    """What one file bounds and the other does not is installed in any version; told once for all of it."""
    if not mine.is_whole:
        return
    ours, theirs = mine.names(constraint=True), other.names(constraint=True)
    for there, lines, absent, others in (
        (
            requirements_txt.FILE_NAME,
            ours,
            name,
            theirs.keys() | other.names(constraint=False).keys(),
        ),
        (
            name,
            theirs,
            requirements_txt.FILE_NAME,
            ours.keys() | mine.names(constraint=False).keys(),
        ),
    ):
        if free := sorted(lines.keys() - others - conda.keys()):
            more = f" and {len(free) - 1} more" if len(free) > 1 else ""
            problem = f"{there} bounds `{lines[free[0]].shown}`{more}, {absent} does not"
            yield Finding(rule=CODE, severity=SEVERITY, file=name, problem=problem, remedy=REMEDY)
    for key in sorted(ours.keys() & theirs.keys()):
        if _meaning(ours[key]) != _meaning(theirs[key]):
            right = theirs[key]
            problem = (
                f"{requirements_txt.FILE_NAME} bounds `{ours[key].shown}`, {name} `{right.shown}`"
            )
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=right.file,
                line=right.line,
                problem=problem,
                remedy=REMEDY,
            )


def _meaning(line: Line) -> tuple[str, ...]:
    if line.parsed is None:
        return (line.requirement.text,)
    extras = ",".join(sorted(map(canonicalize_name, line.parsed.extras)))
    return extras, str(line.specifier), line.url or "", str(line.marker or "")


def _conda_versions(facts: ModelFacts) -> dict[str, str]:
    """The versions of conda's own packages by name; conda's names are mostly those of PyPI."""
    found: dict[str, str] = {}
    for spec in facts.conda.packages if facts.conda else ():
        name = conda_yaml.name_of(spec)
        found[canonicalize_name(name)] = spec.partition("::")[2] or spec
    return found


def _against_conda(line: Line, spec: str | None) -> str:
    """What is wrong where conda brings the package; what conda has under another name cannot be told."""
    if spec is None or line.version is None:
        return ""
    version = spec[len(conda_yaml.name_of(spec)) :].lstrip("= ").partition("=")[0].strip()
    try:
        same = Version(version).public == Version(line.version).public
    except InvalidVersion:
        return ""
    if same:
        return ""
    return f"{requirements_txt.FILE_NAME} says `{line.shown}`, the conda package is `{spec}`"


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Write what `requirements.txt` says into the others; it is what is installed."""
    told = {each.file for each in check(facts)}
    if facts.conda is not None and facts.conda_name in told | _told_by_absence(
        facts, facts.conda_name
    ):
        yield facts.conda_name, conda_with_pip(facts, facts.conda)
    if facts.python_env is not None and facts.python_env_name in told:
        kept = replace(facts.python_env, dependencies=(f"-r {requirements_txt.FILE_NAME}",))
        yield facts.python_env_name, python_env_yaml.dumps(kept)


def _told_by_absence(facts: ModelFacts, name: str) -> set[str]:
    """The conda file, where what is told stands in a file that it refers to."""
    if facts.conda_pip is not None and facts.conda_pip.read:
        return {name}
    return set()
