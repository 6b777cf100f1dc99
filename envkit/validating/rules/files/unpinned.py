"""Rule `unpinned`: every requirement admits one version only.

A requirement that admits several versions can install something else tomorrow. A constraint that
pins it is as good as a pin.
"""

from envkit.validating.files.edits import Edits, known_versions, with_requirement
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

MLFLOW = frozenset({"mlflow", "mlflow-skinny"})


@rule("ENV120", "unpinned", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each requirement and conda package that could install something else tomorrow."""
    lines = facts.requirements.lines
    pinned = {line.name for line in lines if line.constraint and _admits_one(line)}
    for line in lines:
        if line.requirement.placeholders and line.url is None:
            variable = line.requirement.placeholders[0]
            yield Fault(
                problem=(
                    f"`{line.shown}` depends on the environment variable {variable} of the machine "
                    "that installs it"
                ),
                remedy="write the package and its version out",
                location=line.location,
            )
        elif line.name is not None and not _admits_one(line) and line.name not in pinned:
            yield Fault(
                problem=f"`{line.shown}` admits more than one version",
                remedy=f"pin it: `{line.name}=={_recorded(line, facts) or '<version>'}`",
                location=line.location,
                # MLflow 1 wrote no version, and loads what other versions of it saved
                severity=Severity.WARNING if _recorded(line, facts) else None,
            )
    for spec in facts.conda_packages:
        if not _is_exact(spec):
            yield Fault(
                problem=f"the conda package `{spec}` admits more than one version",
                remedy="pin it: `name=<version>`, with the complete version",
                location=Location(facts.conda_name, facts.line_of(facts.conda_name, spec)),
            )


def fix(facts: ModelFacts) -> Edits:
    """Pin to the version that the model itself names, if the requirement admits it."""
    versions = known_versions(facts)
    for line in facts.lines:
        version = versions.get(line.name or "")
        if version is None or line.parsed is None or line.constraint or _admits_one(line):
            continue
        if line.specifier.contains(version, prereleases=True):
            pin = line.parsed.name
            if line.parsed.extras:
                pin += f"[{','.join(sorted(line.parsed.extras))}]"
            pin += f"=={version}"
            if line.marker:
                pin += f" ; {line.marker}"
            yield from with_requirement(facts, line, pin)


def _recorded(line: Line, facts: ModelFacts) -> str | None:
    """The version of MLflow that saved the model, if MLflow is required."""
    if line.name not in MLFLOW or facts.mlmodel is None:
        return None
    return facts.mlmodel.mlflow_version


def _admits_one(line: Line) -> bool:
    if line.parsed is None or line.requirement.path is not None:
        return True
    return line.version is not None or line.url is not None


def _is_exact(spec: str) -> bool:
    """Whether a conda spec admits one version: `=1.26.4`, `==1.26` or `=1.26=build`.

    `=1.26.4` admits 1.26.4.1 too, which nobody releases: three parts are taken for exact.
    """
    name, equals, version = spec.partition("=")
    if not equals or name.rstrip().endswith(("<", ">", "!", "~")):
        return False
    if any(mark in version for mark in "*|,<>"):
        return False
    return "=" in version or version.count(".") > 1
