"""Rule `unneeded-mlflow`: MLflow is required only where the model's code or loader imports it.

MLflow adds itself to every model that it saves. envkit loads the usual flavors without it, which
makes the environment smaller by some ninety distributions.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

NAMES = frozenset({"mlflow", "mlflow-skinny"})


@rule("ENV203", "unneeded-mlflow", Severity.NOTE)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report a requirement on MLflow that nothing uses."""
    if not code.is_read or _is_used(facts, code):
        return
    for line in facts.requirements.lines:
        if line.name in NAMES and not line.constraint:
            yield Fault(
                problem=f"`{line.shown}` is required, but envkit loads this model without it",
                remedy="run `envkit capture`, or keep it if MLflow itself is to serve the model",
                location=line.location,
            )


def _is_used(facts: ModelFacts, code: ModelCode) -> bool:
    if any(external.providers & NAMES for external in code.external_imports):
        return True
    captured = facts.captured_distributions
    return any(distribution.used for distribution in captured if distribution.name in NAMES)
