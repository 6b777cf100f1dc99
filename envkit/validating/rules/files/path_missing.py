"""Rule `path-missing`: every path that `MLmodel` names exists."""

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV111", "path-missing", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each field that names a missing file; environment files have their own rule."""
    for field, value in facts.named_paths:
        if field.endswith(".env") or facts.leads_out(value) or facts.is_there(value):
            continue
        yield Fault(
            problem=f"there is no '{value}' in the model",
            remedy="put the file back, or save the model again",
            location=Location(mlmodel.FILE_NAME, field=field),
        )
