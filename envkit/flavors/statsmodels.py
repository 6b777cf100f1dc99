"""statsmodels results.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.statsmodels.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Content, Flavor, Options
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
    """Save the results of a statsmodels fit. Corresponds to `mlflow.statsmodels.save_model`.

    Args:
        statsmodels_model: The results, as `fit` returns them.
        path: The model directory; a new or an empty folder.
        remove_data: Whether to leave out the data that the model was fitted to.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If statsmodels is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    content = Content(
        data="model.statsmodels",
        write=lambda file: statsmodels_model.save(str(file), remove_data),
    )
    _FLAVOR.save(path, options, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
