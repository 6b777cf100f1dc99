"""TensorFlow models: those of its Keras, and `tf.Module`.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.tensorflow.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import keras_files, loading, pickling
from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import tensorflow as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "tensorflow"
_FLAVOR = Flavor(
    name=FLAVOR_NAME, loader=loader, library="tensorflow", version_key="tensorflow_version"
)
_SAVED_MODEL = "tf2model"


@saving.with_options
def save_model(
    model: Any,
    path: str | Path,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> None:
    """Save a TensorFlow model. Corresponds to `mlflow.tensorflow.save_model`.

    Args:
        model: A Keras model of TensorFlow, or a `tf.Module`.
        path: The model directory; a new or an empty folder.
        custom_objects: The author's classes and functions of a Keras model by name, in addition to
            those that are registered with Keras.
        saved_model_kwargs: Arguments of `tf.saved_model.save`.
        keras_model_kwargs: Arguments of the Keras model's `save`, and `save_format`.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If TensorFlow is not installed.
        InvalidArgument: If the model is neither, or an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    tensorflow = _FLAVOR.import_library()
    if isinstance(model, tensorflow.keras.Model):
        content = _keras(model, custom_objects, keras_model_kwargs or {})
    elif isinstance(model, tensorflow.Module):
        content = _saved_model(model, saved_model_kwargs or {})
    else:
        raise InvalidArgument(
            f"model must be a Keras model or a tf.Module, not a {type(model).__name__}."
        )
    _FLAVOR.save(path, options, content)


def _saved_model(model: Any, arguments: Mapping[str, Any]) -> Content:
    save = _FLAVOR.import_library().saved_model.save
    return Content(
        data=_SAVED_MODEL,
        write=lambda folder: save(model, str(folder), **arguments),
        section={"saved_model_dir": _SAVED_MODEL, "model_type": "tf2-module"},
        python_function={},
    )


def _keras(
    model: Any, custom_objects: Mapping[str, Any] | None, arguments: Mapping[str, Any]
) -> Content:
    arguments = dict(arguments)
    save_format = arguments.pop("save_format", "tf")
    suffix = ".h5" if save_format == "h5" else ".keras"

    def write(folder: Path) -> None:
        keras_files.write(folder, "tensorflow.keras", model, custom_objects, arguments, suffix)
        (folder / "save_format.txt").write_text(save_format, encoding="utf-8")

    return Content(
        data="data",
        write=write,
        section={
            "data": "data",
            "model_type": "keras",
            "keras_version": _FLAVOR.import_library().__version__,
            "save_format": save_format,
        },
    )


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Load a TensorFlow model. Corresponds to `mlflow.tensorflow.load_model`.

    Loading a model runs its code.

    Args:
        model_uri: Path or URI of a model that envkit or MLflow saved.
        dst_path: Existing folder for the files of a remote model.
        saved_model_kwargs: Arguments of `tf.saved_model.load`.
        keras_model_kwargs: Arguments of `tf.keras.models.load_model`.

    Returns:
        The Keras model, or the loaded `tf.Module`.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model does not have this flavor, or is malformed.
        ToolNotFound: If TensorFlow is not installed.
    """
    model, section = loading.open_flavor(model_uri, FLAVOR_NAME, dst_path)
    return loader.load_native(str(model.path), section, keras_model_kwargs, saved_model_kwargs)


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(include_cloudpickle: bool = False) -> list[str]:
    """Return the requirements that every model of this flavor has at least.

    Args:
        include_cloudpickle: Whether the model has custom objects, which cloudpickle pickles.

    Returns:
        PEP 508 lines, pinned to the installed versions.
    """
    extra = pickling.requirements(include_cloudpickle, False)
    return _FLAVOR.get_default_pip_requirements(*extra)


def get_default_conda_env(include_cloudpickle: bool = False) -> dict[str, Any]:
    """Return the conda environment that every model of this flavor needs at least.

    Args:
        include_cloudpickle: Whether the model has custom objects, which cloudpickle pickles.

    Returns:
        Content of a `conda.yaml`.
    """
    extra = pickling.requirements(include_cloudpickle, False)
    return _FLAVOR.get_default_conda_env(*extra)
