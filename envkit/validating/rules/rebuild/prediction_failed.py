"""Rule `prediction-failed`: the model loads and answers its example in the rebuilt environment."""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.rebuild import Rebuilt


@rule("ENV402", "prediction-failed", Severity.ERROR)
def check(_: ModelFacts, rebuilt: Rebuilt) -> Faults:
    """Report what the model raised, or how its process ended."""
    if rebuilt.failed is not None:
        reason = " ".join(str(rebuilt.failed).split()).rstrip(".")
        yield Fault(
            problem=f"in the rebuilt environment: {reason}",
            remedy=(
                "require what is missing; `envkit predict` shows the whole traceback, `envkit "
                "capture` finds packages"
            ),
        )
