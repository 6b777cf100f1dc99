"""Models of TensorFlow: those of its Keras, and `tf.Module`.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.tensorflow.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import keras_files, loading, pickling
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import tensorflow as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "tensorflow"
_FLAVOR = Flavor(
    name=FLAVOR_NAME, loader=loader, library="tensorflow", version_key="tensorflow_version"
)


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
    """Save a Keras model of TensorFlow, or a `tf.Module`.

    custom_objects: own classes and functions of the Keras model, by name, beside those that are
    registered with Keras. keras_model_kwargs: for the Keras model's `save`. saved_model_kwargs: for
    `tf.saved_model.save`. The others are those of `envkit.pyfunc.saving.save`.
    """
    tensorflow = _FLAVOR.imported()
    if isinstance(model, tensorflow.keras.Model):
        _save_keras(model, path, custom_objects, keras_model_kwargs or {}, options)
    elif isinstance(model, tensorflow.Module):
        _FLAVOR.save(
            path,
            lambda folder: tensorflow.saved_model.save(
                model, str(folder), **(saved_model_kwargs or {})
            ),
            options,
            data="tf2model",
            fields={"saved_model_dir": "tf2model", "model_type": "tf2-module"},
            python_function={},
        )
    else:
        raise InvalidArgument(
            f"model is a Keras model or a tf.Module, not a {type(model).__name__}."
        )


def _save_keras(
    model: Any,
    path: str | Path,
    custom: Mapping[str, Any] | None,
    given: Mapping[str, Any],
    options: Options,
) -> None:
    form = given.get("save_format", "tf")
    own = {name: value for name, value in given.items() if name != "save_format"}
    suffix = ".h5" if form == "h5" else ".keras"

    def put(folder: Path) -> None:
        keras_files.write(folder, "tensorflow.keras", model, custom, own, suffix)
        (folder / "save_format.txt").write_text(form, encoding="utf-8")

    version = _FLAVOR.imported().__version__
    fields = {"data": "data", "model_type": "keras", "keras_version": version, "save_format": form}
    _FLAVOR.save(path, put, options, data="data", fields=fields)


def load_model(
    model_uri: str | Path,
    dst_path: str | Path | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Load the model. saved_model_kwargs, keras_model_kwargs: for the function of TensorFlow or Keras that loads it."""
    model, section = loading.opened(model_uri, FLAVOR_NAME, dst_path)
    return loader.load_native(str(model.path), section, keras_model_kwargs, saved_model_kwargs)


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(include_cloudpickle: bool = False) -> list[str]:
    """Give the requirements that every model of this flavor has at least."""
    return _FLAVOR.get_default_pip_requirements(*pickling.needs(include_cloudpickle, False))


def get_default_conda_env(include_cloudpickle: bool = False) -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(get_default_pip_requirements(include_cloudpickle))
