"""Diviner models, groups of forecasters. MLflow has this flavor up to version 2.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.diviner.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared.flavor import Content, Flavor, Options
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
_DATA = "model.div"


@saving.with_options
def save_model(diviner_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a Diviner model. Corresponds to `mlflow.diviner.save_model`.

    Args:
        diviner_model: A fitted `GroupedProphet` or `GroupedPmdarima`.
        path: The model directory; a new or an empty folder.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If Diviner is not installed.
        InvalidArgument: If Spark fitted the model, or an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    if getattr(diviner_model, "_fit_with_spark", False):
        raise InvalidArgument(
            "A Diviner model that Spark fitted cannot be saved: its parts are in a Databricks file "
            "system."
        )
    content = Content(
        data=_DATA,
        write=lambda file: diviner_model.save(str(file)),
        section={
            "fit_with_spark": False,
            "model_type": type(diviner_model).__name__,
            "data": _DATA,
        },
    )
    _FLAVOR.save(path, options, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
