"""Models of XGBoost: boosters, and those with scikit-learn's interface.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.xgboost.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.flavors._shared.flavor import Flavor, divided, qualified_name
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
    """Save a `Booster` or a model such as `XGBClassifier`. model_format: `ubj`, `json` or `deprecated`.

    What is no parameter of `envkit.pyfunc.saving.save` is one of the model's own `save_model`.
    """
    common, own = divided(options)
    name = f"model.{model_format}"
    fields = {"data": name, "model_class": qualified_name(xgb_model), "model_format": model_format}
    _FLAVOR.save(
        path, lambda file: xgb_model.save_model(file, **own), common, data=name, fields=fields
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
