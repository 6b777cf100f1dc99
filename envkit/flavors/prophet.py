"""Prophet forecasters.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.prophet.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import loading
from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import prophet as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "prophet"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="prophet",
    version_key="prophet_version",
    parameter="pr_model",
)
_DATA = "model.pr"


@saving.with_options
def save_model(pr_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a Prophet forecaster. Corresponds to `mlflow.prophet.save_model`.

    Args:
        pr_model: A fitted `Prophet`.
        path: The model directory; a new or an empty folder.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If Prophet is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    model_to_json = loading.library("prophet.serialize", "prophet").model_to_json

    def write(file: Path) -> None:
        # MLflow writes the JSON text as a JSON string.
        file.write_text(json.dumps(model_to_json(pr_model)), encoding="utf-8")

    section = {"model_type": type(pr_model).__name__, "data": _DATA}
    _FLAVOR.save(path, options, Content(data=_DATA, write=write, section=section))


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
