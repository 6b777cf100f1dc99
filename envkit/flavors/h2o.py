"""H2O models, which the H2O server, a Java program, holds.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.h2o.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Content, Flavor, Options
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
    """Save an H2O model. Corresponds to `mlflow.h2o.save_model`.

    Args:
        h2o_model: A model that the running H2O server holds.
        path: The model directory; a new or an empty folder.
        settings: `{"init": {...}}`, the arguments of `h2o.init` when the model is loaded to
            predict.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If H2O is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    h2o = _FLAVOR.import_library()

    def write(folder: Path) -> None:
        folder.mkdir()
        file = Path(h2o.download_model(model=h2o_model, path=str(folder))).name
        saved = {
            **(settings or {}),
            "full_file": file,
            "model_file": file,
            "model_dir": folder.name,
        }
        # JSON values are YAML.
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in saved.items()]
        (folder / loader.SETTINGS).write_text("".join(lines), encoding="utf-8")

    _FLAVOR.save(path, options, Content(data="model.h2o", write=write))


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
