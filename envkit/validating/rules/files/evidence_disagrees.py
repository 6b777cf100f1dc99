"""Rule `evidence-disagrees`: the files require what the capture saw, in the versions that it saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from envkit.formats import envkit_json, requirements_txt
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edit, added
from envkit.validating.files.evidence import Seen
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Finding, Severity

CODE = "ENV106"
NAME = "evidence-disagrees"
SEVERITY = Severity.ERROR
SHOWN = 3
REMEDY = "capture the model again, or take the change back"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each distribution of the evidence that is not required, and each requirement that it does not know."""
    if facts.evidence is None or not facts.requirements.lines or facts.requirements.broken:
        return
    lines: dict[str, Line] = {}
    for line in facts.requirements.lines:
        lines.setdefault(line.name or "", line)
    seen: dict[str, Seen] = {
        canonicalize_name(each.name): each for each in facts.evidence.installed
    }
    absent = [each for name, each in seen.items() if name not in lines]
    for required in (each for each in absent if each.role == "requirement"):
        yield _absent([required])
    if facts.requirements.is_whole and (
        bounds := [each for each in absent if each.role != "requirement"]
    ):
        yield _absent(bounds)
    for name, line in lines.items():
        if name and (told := _problem(line, seen.get(name))):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=told,
                remedy=REMEDY,
            )


def _absent(missing: Sequence[Seen]) -> Finding:
    """What was seen, in one role, and is nowhere; constraints are told at once: they are lost together."""
    names = ", ".join(f"{each.name} {each.version}" for each in missing[:SHOWN])
    if len(missing) > SHOWN:
        more = f" and {len(missing) - SHOWN} more"
    else:
        more = ""
    verb, them = ("was", "it") if len(missing) == 1 else ("were", "them")
    problem = (
        f"{names}{more} {verb} seen by the capture ({missing[0].role}), and no file requires {them}"
    )
    return Finding(
        rule=CODE, severity=SEVERITY, file=envkit_json.FILE_NAME, problem=problem, remedy=REMEDY
    )


def _problem(line: Line, seen: Seen | None) -> str:
    if seen is None:
        return f"`{line.shown}` is required, and the capture saw no {line.name}"
    if not seen.version or line.version is None or line.url is not None:
        return ""
    # a capture may have dropped the local part
    versions = {seen.version, seen.version.partition("+")[0]}
    if line.version in versions:
        return ""
    return f"`{line.shown}`, but the capture saw {seen.name} {seen.version}"


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Require what the capture saw and no file has; versions that were changed by hand stay."""
    if facts.evidence is None or facts.requirement_files is None:
        return
    names = {each.name for each in facts.requirements.lines}
    missing = [
        each for each in facts.evidence.installed if canonicalize_name(each.name) not in names
    ]
    implied = [each.requirement for each in missing if each.role == "constraint"]
    bounds = requirements_txt.CONSTRAINTS_FILE_NAME
    if implied and bounds not in facts.requirement_files.read:
        text = facts.text(requirements_txt.FILE_NAME).rstrip("\n")
        yield requirements_txt.FILE_NAME, f"{text}\n-c {bounds}\n"
        if not facts.has(bounds):
            yield bounds, requirements_txt.dumps(Requirement(text=pin) for pin in implied)
        return  # what else is missing is seen when that file is read too
    if implied:
        yield added(facts, bounds, implied)
    elif missing:
        yield added(facts, requirements_txt.FILE_NAME, [each.requirement for each in missing])
