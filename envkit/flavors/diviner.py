"""Groups of forecasters of diviner. MLflow has this flavor until its version 2.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.diviner.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import diviner as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "diviner"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="diviner",
    version_key="diviner_version",
    parameter="diviner_model",
)


@saving.with_options
def save_model(diviner_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a fitted `GroupedProphet` or `GroupedPmdarima`. The others are those of `envkit.pyfunc.saving.save`.

    Raises `InvalidArgument` for one that Spark fitted: its parts lie in a file system of
    Databricks.
    """
    if getattr(diviner_model, "_fit_with_spark", False):
        raise InvalidArgument("A model of diviner that Spark fitted cannot be saved here.")
    fields = {
        "fit_with_spark": False,
        "model_type": type(diviner_model).__name__,
        "data": "model.div",
    }
    _FLAVOR.save(
        path, lambda file: diviner_model.save(str(file)), options, data="model.div", fields=fields
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
