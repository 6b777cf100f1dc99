"""Rule `requirements-disagree`: all files name the same requirements.

pip reads `requirements.txt`, conda the pip section of `conda.yaml`, MLflow what `python_env.yaml`
depends on. If they differ, the model runs with other packages depending on who builds its
environment.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envkit.formats import conda_yaml, python_env_yaml, requirements_txt
from envkit.validating.files.edits import Edits, conda_with_pip
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line, LinesByName, RequirementFiles
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

MAIN = requirements_txt.FILE_NAME
REMEDY = f"write the same in both, or refer to one file with `-r {MAIN}`"


@rule("ENV103", "requirements-disagree", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each name that another file requires or constrains unlike `requirements.txt`."""
    main = facts.requirement_files
    if main is None or main.broken:
        return
    for comparison in _comparisons(facts, main):
        if not comparison.other.is_whole:
            continue
        yield from comparison.requirement_faults()
        if main.is_whole:
            yield from comparison.constraint_faults()
    if facts.conda is None or facts.conda_pip is not None or facts.conda_packages:
        return
    if main.lines:
        problem = f"{facts.conda_name} has no pip section, so conda installs nothing of {MAIN}"
        yield Fault(
            problem=problem,
            remedy=REMEDY,
            location=Location(facts.conda_name),
        )


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


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """`requirements.txt` and another file. conda: match specs of conda's own packages, by name."""

    main: RequirementFiles
    other: RequirementFiles
    name: str
    conda: Mapping[str, str] = field(default_factory=dict)

    def requirement_faults(self) -> Faults:
        """Report requirements that only one file has, and those that differ."""
        ours = self.main.requirements
        theirs = self.other.requirements
        for name in sorted(ours.keys() - theirs.keys()):
            problem = self._absence(name, ours[name])
            if problem:
                yield Fault(
                    problem=problem,
                    remedy=REMEDY,
                    location=Location(self.name),
                )
        for name in sorted(theirs.keys() - ours.keys()):
            line = theirs[name]
            yield Fault(
                problem=f"`{line.shown}` is in {self.name} and not in {MAIN}",
                remedy=REMEDY,
                location=line.location,
            )
        for our, their in _different(ours, theirs):
            problem = f"{MAIN} says `{our.shown}`, {self.name} says `{their.shown}`"
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=their.location,
            )

    def constraint_faults(self) -> Faults:
        """Report constraints that differ, and those of one file: the other allows any version."""
        ours = self.main.constraints
        theirs = self.other.constraints
        ours_only = ours.keys() - theirs.keys() - self.conda.keys()
        ours_only -= self.other.requirements.keys()
        if ours_only:
            problem = f"{MAIN} constrains {_first(ours, ours_only)}, {self.name} does not"
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=Location(self.name),
            )
        theirs_only = theirs.keys() - ours.keys() - self.conda.keys()
        theirs_only -= self.main.requirements.keys()
        if theirs_only:
            problem = f"{self.name} constrains {_first(theirs, theirs_only)}, {MAIN} does not"
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=Location(self.name),
            )
        for our, their in _different(ours, theirs):
            problem = f"{MAIN} has the constraint `{our.shown}`, {self.name} has `{their.shown}`"
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=their.location,
            )

    def _absence(self, name: str, line: Line) -> str:
        """Say that the other file lacks a requirement, unless a conda package takes its place."""
        if not self.conda:
            return f"`{line.shown}` is in {MAIN} and not in {self.name}"
        # conda may have the package under another name, which cannot be compared
        spec = self.conda.get(name)
        if spec is None or line.version is None or _same_version(spec, line.version):
            return ""
        return f"{MAIN} says `{line.shown}`, the conda package is `{spec}`"


def _comparisons(facts: ModelFacts, main: RequirementFiles) -> Iterator[_Comparison]:
    if facts.python_env_pip is not None:
        yield _Comparison(main=main, other=facts.python_env_pip, name=facts.python_env_name)
    if facts.conda_pip is not None:
        # conda's names are mostly those of PyPI
        conda: dict[str, str] = {}
        for spec in facts.conda_packages:
            name = canonicalize_name(conda_yaml.name_of(spec))
            conda[name] = spec.partition("::")[2] or spec
        yield _Comparison(main=main, other=facts.conda_pip, name=facts.conda_name, conda=conda)


def _different(ours: LinesByName, theirs: LinesByName) -> Iterator[tuple[Line, Line]]:
    """Yield the lines of each name that do not mean the same."""
    for name in sorted(ours.keys() & theirs.keys()):
        our, their = ours[name], theirs[name]
        if _meaning(our) != _meaning(their):
            yield our, their


def _meaning(line: Line) -> tuple[str, ...]:
    if line.parsed is None:
        return (line.requirement.text,)
    extras = sorted(map(canonicalize_name, line.parsed.extras))
    return ",".join(extras), str(line.specifier), line.url or "", str(line.marker or "")


def _first(lines: LinesByName, names: Set[str]) -> str:
    first = f"`{lines[min(names)].shown}`"
    if len(names) == 1:
        return first
    return f"{first} and {len(names) - 1} more"


def _same_version(spec: str, version: str) -> bool:
    """Whether a match spec names a version, as far as both can be read."""
    constraint = spec[len(conda_yaml.name_of(spec)) :].lstrip("= ")
    named = constraint.partition("=")[0].strip()
    try:
        return Version(named).public == Version(version).public
    except InvalidVersion:
        return True
