"""Models of Keras 3, with any of its backends.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.keras.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import keras_files
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import keras as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "keras"
_FLAVOR = Flavor(name=FLAVOR_NAME, loader=loader, library="keras", version_key="keras_version")


@saving.with_options
def save_model(
    model: Any,
    path: str | Path,
    *,
    save_exported_model: bool = False,
    save_model_kwargs: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> None:
    """Save a model of Keras 3.

    save_exported_model: as a saved model of TensorFlow, to predict only. save_model_kwargs: for the
    model's `save`. custom_objects: own classes and functions of the model, by name, that go along
    beside those that are registered with Keras; MLflow wants them to load it. The other parameters
    are those of `envkit.pyfunc.saving.save`.
    """
    keras = _FLAVOR.imported()

    def put(folder: Path) -> None:
        if save_exported_model:
            keras_files.begin(folder, "keras")
            model.export(str(folder / "model"))
        else:
            keras_files.write(folder, "keras", model, custom_objects, save_model_kwargs or {})

    backend = keras.backend.backend()
    fields = {"data": "data", "keras_backend": backend, "save_exported_model": save_exported_model}
    _FLAVOR.save(path, put, options, data="data", fields=fields, python_function={})


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    load_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Load the model. custom_objects: own classes and functions. load_model_kwargs: for Keras' `load_model`."""
    if custom_objects:
        given = {"custom_objects": dict(custom_objects)}
    else:
        given = {}
    return _FLAVOR.load_model(model_uri, dst_path, **given, **(load_model_kwargs or {}))


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
