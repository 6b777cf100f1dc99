"""Rule `not-compared`: the model has an example, and the answer to it was recorded.

Without an example, the rebuild only proves that the model loads; without a recorded answer, only
that it gives one.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.rebuild import Rebuilt


@rule("ENV404", "not-compared", Severity.WARNING)
def check(_: ModelFacts, rebuilt: Rebuilt) -> Faults:
    """Report a model that could only be loaded; a note where nothing was recorded."""
    if rebuilt.not_built is not None or rebuilt.failed is not None:
        return
    if not rebuilt.answered:
        yield Fault(
            problem="the model was only loaded: it has no input example to predict on",
            remedy="save the model with an `input_example`, and capture it",
        )
    elif not rebuilt.is_recorded:
        yield Fault(
            problem=(
                "the model answered its example, but there is no recorded answer to compare it with"
            ),
            remedy="run `envkit capture` where the model works: it records the answer",
            severity=Severity.NOTE,
        )
