"""Forecasters of pmdarima.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pmdarima.html
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Flavor, Options
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


@saving.with_options
def save_model(pmdarima_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a fitted `ARIMA` or a pipeline. The other parameters are those of `envkit.pyfunc.saving.save`.

    The model is asked with a data frame of one row: `n_periods`, and `X`, `return_conf_int`,
    `alpha` if wanted.
    """
    fields = {"model_type": type(pmdarima_model).__name__, "data": "model.pmd"}
    _FLAVOR.save(
        path,
        lambda file: file.write_bytes(pickle.dumps(pmdarima_model)),
        options,
        data="model.pmd",
        fields=fields,
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
