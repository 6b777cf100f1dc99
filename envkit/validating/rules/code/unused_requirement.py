"""Rule `unused-requirement`: every requirement is used.

An unused package makes environments larger, and its faults become the model's. A requirement is
used if the capture recorded why it is there, if code or an artifact imports it, or if it wrote the
artifacts. What a library loads by itself, such as a plugin, can only be seen by a capture.
"""

from packaging.utils import canonicalize_name

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

TOOLS = frozenset({"mlflow", "mlflow-skinny", "pip", "setuptools", "wheel"})


@rule("ENV202", "unused-requirement", Severity.WARNING)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each requirement without a known use; a note where that is not certain."""
    if not code.is_read:
        return
    used = _used_names(facts, code)
    severity = Severity.WARNING
    if code.survey.gaps or _is_from_mlflow(facts):
        severity = Severity.NOTE
    for line in facts.requirements.lines:
        if not line.constraint and line.name is not None and line.name not in used:
            yield Fault(
                problem=f"`{line.shown}` is required, but nothing in the model is known to use it",
                remedy="remove it, or capture the model, which also sees what libraries import",
                location=line.location,
                severity=severity,
            )


def _used_names(facts: ModelFacts, code: ModelCode) -> set[str]:
    used = {*TOOLS, *facts.recorded_versions}
    for external in code.external_imports:
        used |= external.providers
    for distribution in facts.captured_distributions:
        if distribution.used:
            used.add(canonicalize_name(distribution.name))
    return used


def _is_from_mlflow(facts: ModelFacts) -> bool:
    """Whether MLflow inferred the requirements: it saw them being imported."""
    if facts.evidence is not None or facts.mlmodel is None:
        return False
    return facts.mlmodel.mlflow_version is not None
