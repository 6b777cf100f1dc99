"""pmdarima forecasters.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pmdarima.html
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import pmdarima as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "pmdarima"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="pmdarima",
    version_key="pmdarima_version",
    parameter="pmdarima_model",
)
_DATA = "model.pmd"


@saving.with_options
def save_model(pmdarima_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a pmdarima forecaster. Corresponds to `mlflow.pmdarima.save_model`.

    The saved model predicts on a data frame of one row with the column `n_periods`, and optionally
    `X`, `return_conf_int` and `alpha`.

    Args:
        pmdarima_model: A fitted `ARIMA` or pipeline.
        path: The model directory; a new or an empty folder.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If pmdarima is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    content = Content(
        data=_DATA,
        write=lambda file: file.write_bytes(pickle.dumps(pmdarima_model)),
        section={"model_type": type(pmdarima_model).__name__, "data": _DATA},
    )
    _FLAVOR.save(path, options, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
