"""Rule `requirements-disagree`: all files name the same requirements.

pip reads `requirements.txt`, conda the pip section of `conda.yaml`, MLflow what `python_env.yaml`
depends on. If they differ, the model runs with other packages depending on who builds its
environment.
"""

from collections.abc import Mapping
from dataclasses import replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envkit.formats import conda_yaml, python_env_yaml, requirements_txt
from envkit.validating.files.edits import Edits, conda_with_pip
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line, RequirementFiles
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

MAIN = requirements_txt.FILE_NAME
REMEDY = f"write the same in both, or refer to one file with `-r {MAIN}`"


@rule("ENV103", "requirements-disagree", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each name that another file requires or constrains differently from `requirements.txt`."""
    main = facts.requirement_files
    if main is None or main.broken:
        return
    python_env, conda = facts.python_env_pip, facts.conda_pip
    if python_env is not None and python_env.is_whole:
        yield from _compare(main, python_env, facts.python_env_name, {})
    if conda is not None and conda.is_whole:
        yield from _compare(main, conda, facts.conda_name, _conda_specs(facts))
    if facts.conda is not None and conda is None and main.lines and not facts.conda_packages:
        problem = f"{facts.conda_name} has no pip section, so conda installs nothing of {MAIN}"
        yield Fault(problem, REMEDY, Location(facts.conda_name))


def _compare(
    main: RequirementFiles, other: RequirementFiles, name: str, conda: Mapping[str, str]
) -> Faults:
    """Compare another file with the main one. conda: specs of conda's own packages, by name."""
    yield from _compare_requirements(main, other, name, conda)
    if main.is_whole:
        yield from _compare_constraints(main, other, name, conda)


def _compare_requirements(
    main: RequirementFiles, other: RequirementFiles, name: str, conda: Mapping[str, str]
) -> Faults:
    ours, theirs = main.names(constraint=False), other.names(constraint=False)
    for key in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get(key), theirs.get(key)
        if left is None and right is not None:
            problem = f"`{right.shown}` is in {name} and not in {MAIN}"
            yield Fault(problem, REMEDY, right.location)
        elif left is not None and right is None:
            problem = f"`{left.shown}` is in {MAIN} and not in {name}"
            if conda:
                problem = _conda_problem(left, conda.get(key))
            if problem:
                yield Fault(problem, REMEDY, Location(name))
        elif left is not None and right is not None and not _same(left, right):
            problem = f"{MAIN} says `{left.shown}`, {name} says `{right.shown}`"
            yield Fault(problem, REMEDY, right.location)


def _compare_constraints(
    main: RequirementFiles, other: RequirementFiles, name: str, conda: Mapping[str, str]
) -> Faults:
    """A package that only one file constrains gets any version from the other."""
    ours, theirs = main.names(constraint=True), other.names(constraint=True)
    only_ours = ours.keys() - theirs.keys() - other.names(constraint=False).keys() - conda.keys()
    only_theirs = theirs.keys() - ours.keys() - main.names(constraint=False).keys() - conda.keys()
    if only_ours:
        problem = f"{MAIN} constrains {_first(ours, only_ours)}, {name} does not"
        yield Fault(problem, REMEDY, Location(name))
    if only_theirs:
        problem = f"{name} constrains {_first(theirs, only_theirs)}, {MAIN} does not"
        yield Fault(problem, REMEDY, Location(name))
    for key in sorted(ours.keys() & theirs.keys()):
        left, right = ours[key], theirs[key]
        if not _same(left, right):
            problem = f"{MAIN} has the constraint `{left.shown}`, {name} has `{right.shown}`"
            yield Fault(problem, REMEDY, right.location)


def _first(lines: Mapping[str, Line], names: set[str]) -> str:
    first = f"`{lines[min(names)].shown}`"
    if len(names) == 1:
        return first
    return f"{first} and {len(names) - 1} more"


def _same(left: Line, right: Line) -> bool:
    return _meaning(left) == _meaning(right)


def _meaning(line: Line) -> tuple[str, ...]:
    if line.parsed is None:
        return (line.requirement.text,)
    extras = sorted(map(canonicalize_name, line.parsed.extras))
    return ",".join(extras), str(line.specifier), line.url or "", str(line.marker or "")


def _conda_specs(facts: ModelFacts) -> dict[str, str]:
    """The specs of conda's packages by name; conda's names are mostly those of PyPI."""
    specs: dict[str, str] = {}
    for spec in facts.conda_packages:
        name = canonicalize_name(conda_yaml.name_of(spec))
        specs[name] = spec.partition("::")[2] or spec
    return specs


def _conda_problem(line: Line, spec: str | None) -> str:
    """Compare a requirement with the conda package that takes its place.

    conda may have the package under another name, which cannot be compared.
    """
    if spec is None or line.version is None:
        return ""
    version = spec[len(conda_yaml.name_of(spec)) :].lstrip("= ").partition("=")[0].strip()
    try:
        if Version(version).public == Version(line.version).public:
            return ""
    except InvalidVersion:
        return ""
    return f"{MAIN} says `{line.shown}`, the conda package is `{spec}`"


def fix(facts: ModelFacts) -> Edits:
    """Write what `requirements.txt` says into the other files: it is what is installed."""
    files = {fault.location.file for fault in check(facts)}
    if facts.conda is not None:
        # the difference may stand in a file that the pip section refers to
        refers = facts.conda_pip is not None and bool(facts.conda_pip.read)
        if facts.conda_name in files or refers:
            yield facts.conda_name, conda_with_pip(facts, facts.conda)
    if facts.python_env is not None and facts.python_env_name in files:
        env = replace(facts.python_env, dependencies=(f"-r {MAIN}",))
        yield facts.python_env_name, python_env_yaml.dumps(env)
