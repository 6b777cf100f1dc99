"""Rule `unneeded-mlflow`: MLflow is required only where the model's own code, or its loader, imports it.

MLflow writes itself into every model that it saves. envkit loads the usual flavors without it, and
the environment is then smaller by some ninety distributions.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV203"
NAME = "unneeded-mlflow"
SEVERITY = Severity.NOTE
NAMES = frozenset({"mlflow", "mlflow-skinny"})


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report a requirement on MLflow that nothing uses."""
    if facts.imports.survey is None or any(each.providers & NAMES for each in facts.imports.used):
        return
    if any(
        each.name in NAMES and each.used
        for each in (facts.evidence.distributions if facts.evidence else ())
    ):
        return
    for line in facts.requirements.lines:
        if line.name in NAMES and not line.constraint:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` is required, and envkit loads this model without it",
                remedy="run `envkit capture`, or keep it if MLflow itself is to serve the model",
            )
