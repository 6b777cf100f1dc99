"""Forecasters of Prophet.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.prophet.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import loading
from envkit.flavors._shared.flavor import Flavor, Options
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


@saving.with_options
def save_model(pr_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a fitted `Prophet`. The other parameters are those of `envkit.pyfunc.saving.save`."""
    to_json = loading.library("prophet.serialize", "prophet").model_to_json

    def put(file: Path) -> None:
        # a JSON text within JSON, as MLflow has it
        file.write_text(json.dumps(to_json(pr_model)), encoding="utf-8")

    fields = {"model_type": type(pr_model).__name__, "data": "model.pr"}
    _FLAVOR.save(path, put, options, data="model.pr", fields=fields)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
