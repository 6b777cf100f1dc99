"""Rule `not-resolved`: the files can be resolved, and the package indexes answer.

Without an answer nothing is proven, so a pipeline must not pass.
"""

from envkit.errors import InvalidFile
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import broken
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved


@rule("ENV308", "not-resolved", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report why there is no answer, once for all targets with the same reason."""
    faults: dict[Fault, None] = {}
    for resolution in resolved.resolutions:
        if resolution.invalid is not None:
            faults[_invalid(resolution.invalid, facts)] = None
        elif resolution.no_answer:
            fault = Fault(
                problem=f"no index answered: {resolution.no_answer.rstrip('.')}",
                remedy=(
                    "check the network and the index settings (UV_DEFAULT_INDEX, UV_INDEX), and "
                    "try again"
                ),
            )
            faults[fault] = None
    yield from faults


def _invalid(error: InvalidFile, facts: ModelFacts) -> Fault:
    file = broken(error, facts.path)
    what = f"{file.field} {file.problem}".strip()
    return Fault(
        problem=f"cannot be resolved: {what}",
        remedy=error.hint.rstrip(".") or "correct the file",
        location=Location(file.file),
    )
