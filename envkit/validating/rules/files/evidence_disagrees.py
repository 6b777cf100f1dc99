"""Rule `evidence-disagrees`: the files require what the capture recorded."""

import os

from envkit.formats import envkit_json, requirements_txt
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edits, with_more_requirements
from envkit.validating.files.evidence import CapturedDistribution
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

SHOWN = 3
REMEDY = "capture the model again, or undo the change"


@rule("ENV106", "evidence-disagrees", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report recorded distributions that are not required, and requirements that differ."""
    files = facts.requirements
    if facts.evidence is None or not files.lines or files.broken:
        return
    constraints = []
    for distribution in _missing(facts):
        if distribution.role == "requirement":
            yield _not_required([distribution])
        else:
            constraints.append(distribution)
    # constraints are lost together, so they are one finding
    if constraints and files.is_whole:
        yield _not_required(constraints)
    lines: dict[str, Line] = {}
    for line in files.lines:
        if line.name is not None:
            lines.setdefault(line.name, line)
    for name, line in lines.items():
        if problem := _problem(line, facts.captured.get(name)):
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=line.location,
            )


def fix(facts: ModelFacts) -> Edits:
    """Require what was recorded and no file requires; versions that were edited stay."""
    files = facts.requirement_files
    missing = _missing(facts)
    if files is None:
        return
    constraints = [each.requirement for each in missing if each.role == "constraint"]
    constraints_file = requirements_txt.CONSTRAINTS_FILE_NAME
    if constraints and constraints_file not in files.read:
        # such as a folder of that name
        if os.path.lexists(facts.path / constraints_file) and not facts.has(constraints_file):
            return
        text = facts.text(requirements_txt.FILE_NAME).rstrip("\n")
        yield requirements_txt.FILE_NAME, f"{text}\n-c {constraints_file}\n"
        if not facts.has(constraints_file):
            yield (
                constraints_file,
                requirements_txt.dumps(Requirement(text=pin) for pin in constraints),
            )
        # what else is missing shows when that file is read too
    elif constraints:
        yield with_more_requirements(facts, constraints_file, constraints)
    elif missing:
        requirements = [each.requirement for each in missing]
        yield with_more_requirements(facts, requirements_txt.FILE_NAME, requirements)


def _missing(facts: ModelFacts) -> list[CapturedDistribution]:
    names = {line.name for line in facts.requirements.lines}
    return [distribution for name, distribution in facts.captured.items() if name not in names]


def _not_required(distributions: list[CapturedDistribution]) -> Fault:
    """All of one role."""
    shown = [f"{each.name} {each.version}" for each in distributions[:SHOWN]]
    names = ", ".join(shown)
    if len(distributions) > SHOWN:
        names += f" and {len(distributions) - SHOWN} more"
    problem = f"no file requires {names}, recorded by the capture ({distributions[0].role})"
    return Fault(
        problem=problem,
        remedy=REMEDY,
        location=Location(envkit_json.FILE_NAME),
    )


def _problem(line: Line, captured: CapturedDistribution | None) -> str:
    if captured is None:
        return f"`{line.shown}` is required, but the capture recorded no {line.name}"
    if not captured.version or line.version is None or line.url is not None:
        return ""
    # a capture may have dropped the local part
    public = captured.version.partition("+")[0]
    if line.version in (captured.version, public):
        return ""
    recorded = f"{captured.name} {captured.version}"
    return f"`{line.shown}`, but the capture recorded {recorded}"
