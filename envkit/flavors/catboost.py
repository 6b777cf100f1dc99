"""CatBoost models.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.catboost.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.flavors._shared.flavor import Content, Flavor, split_options
from envkit.inside.loaders import catboost as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "catboost"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="catboost",
    version_key="catboost_version",
    parameter="cb_model",
)
_DATA = "model.cb"


@saving.with_options
def save_model(cb_model: Any, path: str | Path, **options: Any) -> None:
    """Save a CatBoost model. Corresponds to `mlflow.catboost.save_model`.

    Args:
        cb_model: A `CatBoost`, `CatBoostClassifier`, `CatBoostRegressor` or `CatBoostRanker`.
        path: The model directory; a new or an empty folder.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.
            Others are arguments of the model's own `save_model`, such as `format`.

    Raises:
        ToolNotFound: If CatBoost is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    common, own = split_options(options)
    content = Content(
        data=_DATA,
        write=lambda file: cb_model.save_model(str(file), **own),
        section={
            "model_type": type(cb_model).__name__,
            "save_format": own.get("format", "cbm"),
            "data": _DATA,
        },
    )
    _FLAVOR.save(path, common, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
