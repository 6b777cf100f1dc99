"""Models of CatBoost.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.catboost.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.flavors._shared.flavor import Flavor, divided
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


@saving.with_options
def save_model(cb_model: Any, path: str | Path, **options: Any) -> None:
    """Save a `CatBoost`, `CatBoostClassifier`, `CatBoostRegressor` or `CatBoostRanker`.

    What is no parameter of `envkit.pyfunc.saving.save` is one of the model's own `save_model`, as
    `format`.
    """
    common, own = divided(options)
    fields = {
        "model_type": type(cb_model).__name__,
        "save_format": own.get("format", "cbm"),
        "data": "model.cb",
    }
    _FLAVOR.save(
        path,
        lambda file: cb_model.save_model(str(file), **own),
        common,
        data="model.cb",
        fields=fields,
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
