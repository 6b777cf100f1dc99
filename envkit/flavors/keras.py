"""Keras 3 models, with any backend.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.keras.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import keras_files
from envkit.flavors._shared.flavor import Content, Flavor, Options
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
    """Save a Keras 3 model. Corresponds to `mlflow.keras.save_model`.

    Args:
        model: A `keras.Model`.
        path: The model directory; a new or an empty folder.
        save_exported_model: Whether to export the model as a TensorFlow SavedModel, which predicts
            but cannot be trained.
        save_model_kwargs: Arguments of `model.save`.
        custom_objects: The author's classes and functions by name, in addition to those that are
            registered with Keras; they are saved with the model. MLflow needs them to load it.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If Keras is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    keras = _FLAVOR.import_library()

    def write(folder: Path) -> None:
        if save_exported_model:
            keras_files.create_folder(folder, "keras")
            model.export(str(folder / "model"))
        else:
            keras_files.write(folder, "keras", model, custom_objects, save_model_kwargs or {})

    content = Content(
        data="data",
        write=write,
        section={
            "data": "data",
            "keras_backend": keras.backend.backend(),
            "save_exported_model": save_exported_model,
        },
        python_function={},
    )
    _FLAVOR.save(path, options, content)


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    load_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Load a Keras model. Corresponds to `mlflow.keras.load_model`.

    Loading a model runs its code.

    Args:
        model_uri: Path or URI of a model that envkit or MLflow saved.
        dst_path: Existing folder for the files of a remote model.
        custom_objects: The author's classes and functions by name.
        load_model_kwargs: Arguments of `keras.saving.load_model`.

    Returns:
        The `keras.Model`.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model does not have this flavor, or is malformed.
        ToolNotFound: If Keras is not installed.
    """
    arguments = dict(load_model_kwargs or {})
    if custom_objects:
        arguments["custom_objects"] = dict(custom_objects)
    return _FLAVOR.load_model(model_uri, dst_path, **arguments)


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
