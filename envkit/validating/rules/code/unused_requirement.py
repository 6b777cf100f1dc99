"""Rule `unused-requirement`: what is required is used.

A package that nothing uses makes environments larger, and its faults the model's. It counts as used
when the capture saw why it is there, when code or an artifact imports it, or when it wrote the
artifacts. What a library imports by itself, such as a plugin, cannot be seen without a capture.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV202"
NAME = "unused-requirement"
SEVERITY = Severity.WARNING
TOOLS = frozenset({"mlflow", "mlflow-skinny", "pip", "setuptools", "wheel"})


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement that nothing is known to use; a note where MLflow saw it being used."""
    if facts.imports.survey is None:
        return
    used = {name for each in facts.imports.used for name in each.providers}
    used |= {canonicalize_name(name) for name in facts.recorded_versions}
    used |= {
        canonicalize_name(each.name)
        for each in (facts.evidence.distributions if facts.evidence else ())
        if each.used
    }
    used |= TOOLS
    by_mlflow = (
        facts.evidence is None
        and facts.mlmodel is not None
        and facts.mlmodel.mlflow_version is not None
    )
    unsure = by_mlflow or bool(facts.imports.survey.gaps)
    for line in facts.requirements.lines:
        if not line.constraint and line.name is not None and line.name not in used:
            yield Finding(
                rule=CODE,
                severity=Severity.NOTE if unsure else SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` is required, and nothing of the model is known to use it",
                remedy="remove it, or capture the model, which sees what libraries import too",
            )
