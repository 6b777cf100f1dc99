"""Models of H2O, which its server, a Java program, keeps.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.h2o.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import h2o as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "h2o"
_FLAVOR = Flavor(
    name=FLAVOR_NAME, loader=loader, library="h2o", version_key="h2o_version", parameter="h2o_model"
)


@saving.with_options
def save_model(
    h2o_model: Any,
    path: str | Path,
    *,
    settings: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> None:
    """Save a model that the running server keeps.

    settings: `{"init": {...}}`, arguments of `h2o.init` when the model is loaded to predict. The
    other parameters are those of `envkit.pyfunc.saving.save`.
    """
    h2o = _FLAVOR.imported()

    def put(folder: Path) -> None:
        folder.mkdir()
        file = Path(h2o.download_model(model=h2o_model, path=str(folder))).name
        kept = {**(settings or {}), "full_file": file, "model_file": file, "model_dir": folder.name}
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in kept.items()]  # JSON is YAML
        (folder / loader.SETTINGS).write_text("".join(lines), encoding="utf-8")

    _FLAVOR.save(path, put, options, data="model.h2o")


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
