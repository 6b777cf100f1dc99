"""Rule `loader-field`: `MLmodel` has what the model's loader reads from it.

A loader of MLflow fails without its own fields, whatever the files of the model are.
"""

from collections.abc import Iterator
from typing import Any

from envkit.formats import mlmodel
from envkit.formats.mlmodel import PythonFunction
from envkit.validating.files.facts import ModelFacts, as_object
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

FLAVOR = "flavors.python_function"
SERIALIZATION = ("pickle", "cloudpickle", "skops")
# by loader module: the field of its flavor that names the artifact
ARTIFACT_FIELDS = {"mlflow.sklearn": ("sklearn", "pickled_model")}


@rule("ENV119", "loader-field", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each field that is missing, or holds a value that the loader refuses."""
    if facts.bare is not None or facts.mlmodel is None or facts.flavor is None:
        return
    for field, problem in _problems(facts.flavor, facts.mlmodel.flavors):
        yield Fault(
            problem=f"{problem}, so loading the model fails",
            remedy="save the model again",
            location=Location(mlmodel.FILE_NAME, field=field),
        )


def _problems(flavor: PythonFunction, flavors: Any) -> Iterator[tuple[str, str]]:
    loader = flavor.loader_module
    if loader == "mlflow.pyfunc.model" and flavor.python_model is None:
        yield f"{FLAVOR}.python_model", f"{loader} reads this field, which is missing"
    if loader == "mlflow.pyfunc.loaders.code_model" and flavor.model_code_path is None:
        yield f"{FLAVOR}.model_code_path", f"{loader} reads this field, which is missing"
    if loader in ARTIFACT_FIELDS:
        name, key = ARTIFACT_FIELDS[loader]
        fields = as_object(as_object(flavors).get(name))
        has_path = isinstance(flavor.fields.get("model_path"), str) or flavor.data is not None
        if not has_path and not isinstance(fields.get(key), str):
            yield f"flavors.{name}.{key}", f"{loader} reads this field, which is missing"
    form = as_object(as_object(flavors).get("sklearn")).get("serialization_format", "pickle")
    if loader == "mlflow.sklearn" and form not in SERIALIZATION:
        yield "flavors.sklearn.serialization_format", f"'{form}' is not a format that it can read"
