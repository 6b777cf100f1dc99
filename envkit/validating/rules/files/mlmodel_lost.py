"""Rule `mlmodel-lost`: a saved model has its `MLmodel`.

Without it, what is left is taken for a bare artifact: the loader, the signature and the paths of
code and data are lost, and MLflow does not load the model at all.
"""

import os

from envkit.formats import conda_yaml, mlmodel, python_env_yaml
from envkit.models.input_example import FILE_NAME, SERVING_FILE_NAME
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

TRACES = (FILE_NAME, SERVING_FILE_NAME, "registered_model_meta", "metadata")
"""What MLflow writes next to an `MLmodel`, and no other tool."""


@rule("ENV118", "mlmodel-lost", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report a bare artifact among files that are only written with an `MLmodel`."""
    if facts.bare is None or facts.evidence is not None:
        return
    traces = [name for name in TRACES if os.path.lexists(facts.path / name)]
    environment = (python_env_yaml.FILE_NAME, conda_yaml.FILE_NAME)
    if all(os.path.lexists(facts.path / name) for name in environment):
        traces += environment
    if traces:
        yield Fault(
            problem=(
                f"there is no {mlmodel.FILE_NAME}, but {', '.join(traces)}, which are written "
                "with one: the model lost it"
            ),
            remedy=f"put {mlmodel.FILE_NAME} back, or save the model again",
        )
