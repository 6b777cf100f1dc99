"""Rule `example-contradicts`: the signature accepts the model's own example.

MLflow and envkit check data against the signature before they predict, so the example fails
already.
"""

from envkit.validating.files.example_check import contradictions
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV117", "example-contradicts", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each example with the names, types or shape that contradict the signature."""
    for file, problem in contradictions(facts):
        yield Fault(
            problem=f"contradicts the signature: {problem}",
            remedy="save the model again with an example and the signature inferred from it",
            location=Location(file),
        )
