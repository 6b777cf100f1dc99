"""Fitted models of statsmodels.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.statsmodels.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import statsmodels as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "statsmodels"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="statsmodels",
    version_key="statsmodels_version",
    parameter="statsmodels_model",
)


@saving.with_options
def save_model(
    statsmodels_model: Any,
    path: str | Path,
    *,
    remove_data: bool = False,
    **options: Unpack[Options],
) -> None:
    """Save the results of a fit. remove_data: without the data that it was fitted to, which makes it smaller.

    The other parameters are those of `envkit.pyfunc.saving.save`.
    """
    _FLAVOR.save(
        path,
        lambda file: statsmodels_model.save(str(file), remove_data),
        options,
        data="model.statsmodels",
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
