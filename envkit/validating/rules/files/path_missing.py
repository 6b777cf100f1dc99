"""Rule `path-missing`: what `MLmodel` names is there."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV111"
NAME = "path-missing"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each field that names a file that is not there; those of the environment are another rule's."""
    for field, value in facts.named_paths:
        if field.endswith(".env") or facts.leads_out(value) or facts.is_there(value):
            continue
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=mlmodel.FILE_NAME,
            field=field,
            problem=f"there is no '{value}' in the model",
            remedy="put the file back, or save the model again",
        )
