"""XGBoost models: boosters, and models with scikit-learn's interface.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.xgboost.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.flavors._shared.flavor import Content, Flavor, qualified_name, split_options
from envkit.inside.loaders import xgboost as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "xgboost"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="xgboost",
    version_key="xgb_version",
    parameter="xgb_model",
)


@saving.with_options
def save_model(
    xgb_model: Any, path: str | Path, *, model_format: str = "ubj", **options: Any
) -> None:
    """Save an XGBoost model. Corresponds to `mlflow.xgboost.save_model`.

    Args:
        xgb_model: A `Booster`, or a model such as `XGBClassifier`.
        path: The model directory; a new or an empty folder.
        model_format: `ubj`, `json` or `deprecated`, as XGBoost calls its formats.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.
            Others are arguments of the model's own `save_model`.

    Raises:
        ToolNotFound: If XGBoost is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    common, own = split_options(options)
    name = f"model.{model_format}"
    content = Content(
        data=name,
        write=lambda file: xgb_model.save_model(file, **own),
        section={
            "data": name,
            "model_class": qualified_name(xgb_model),
            "model_format": model_format,
        },
    )
    _FLAVOR.save(path, common, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
