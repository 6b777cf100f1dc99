"""Rule `not-built`: the model's environment can be built from its files."""

from envkit.errors import InterpreterNotFound, InvalidFile
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import broken
from envkit.validating.finding import WHOLE_MODEL, Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.rebuild import Rebuilt


@rule("ENV401", "not-built", Severity.ERROR)
def check(facts: ModelFacts, rebuilt: Rebuilt) -> Faults:
    """Report why there is no environment."""
    error = rebuilt.not_built
    if error is None:
        return
    location = WHOLE_MODEL
    if isinstance(error, InvalidFile):
        location = Location(broken(error, facts.path).file)
    remedy = "correct what the installer says, or capture the model again"
    if isinstance(error, InterpreterNotFound):
        remedy = (
            "install that Python, name one with `--python`, or allow another with `--python-policy`"
        )
    reason = " ".join(str(error).split()).rstrip(".")
    yield Fault(
        problem=f"no environment: {reason}",
        remedy=remedy,
        location=location,
    )
