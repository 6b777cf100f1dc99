"""Models of scikit-learn: estimators and pipelines.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.sklearn.html
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors import loading
from envkit.inside.loaders import sklearn as loader
from envkit.models.model_info import ModelInfo
from envkit.pyfunc import saving
from envkit.pyfunc.saving import Options, Saved

FLAVOR_NAME = "sklearn"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SERIALIZATION_FORMAT_SKOPS = "skops"
SUPPORTED_SERIALIZATION_FORMATS = ["pickle", "cloudpickle", "skops"]


@saving.with_options
def save_model(
    sk_model: Any,
    path: str | Path,
    *,
    serialization_format: str = SERIALIZATION_FORMAT_CLOUDPICKLE,
    pyfunc_predict_fn: str = "predict",
    skops_trusted_types: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> None:
    """Save an estimator or pipeline.

    serialization_format: `pickle`, `cloudpickle`, which also takes classes of `__main__` along, or `skops`, which
    loads only types that are trusted: those that `skops_trusted_types` names. pyfunc_predict_fn: the method that
    predicts. The other parameters are those of `envkit.pyfunc.saving.save`.
    """
    if serialization_format not in SUPPORTED_SERIALIZATION_FORMATS:
        known = ", ".join(SUPPORTED_SERIALIZATION_FORMATS)
        raise InvalidArgument(f"serialization_format is one of {known}, not {serialization_format!r}.")
    version = loading.library("sklearn", "scikit-learn").__version__

    def write(folder: Path) -> Saved:
        name = "model.skops" if serialization_format == SERIALIZATION_FORMAT_SKOPS else "model.pkl"
        _dump(sk_model, folder / name, serialization_format)
        section = {"pickled_model": name, "sklearn_version": version, "serialization_format": serialization_format}
        trusted = list(skops_trusted_types) if skops_trusted_types else None
        predicts = hasattr(sk_model, pyfunc_predict_fn)
        return Saved(
            loader_module="mlflow.sklearn" if predicts else None,
            python_function={"model_path": name, "predict_fn": pyfunc_predict_fn},
            flavors={FLAVOR_NAME: {**section, "skops_trusted_types": trusted}},
        )

    saving.save(path, write, **options)


def _dump(model: Any, path: Path, form: str) -> None:
    if form == SERIALIZATION_FORMAT_SKOPS:
        loading.library("skops.io", "skops").dump(model, path)
        return
    dump = pickle.dump if form == SERIALIZATION_FORMAT_PICKLE else loading.library("cloudpickle").dump
    with path.open("wb") as stream:
        dump(model, stream, protocol=pickle.DEFAULT_PROTOCOL)


def load_model(model_uri: str | Path, dst_path: str | Path | None = None) -> Any:
    """Load the estimator itself, also of a model that MLflow saved. dst_path: folder for the files that are fetched."""
    model, section = loading.opened(model_uri, FLAVOR_NAME, dst_path)
    return loader.load_native(str(model.path), section)


def _load_pyfunc(path: str | Path) -> Any:
    """Load the model as one that predicts."""
    return loading.load_pyfunc(path, loader.load)


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    name: str | None = None,
    **arguments: Any,
) -> ModelInfo:
    """Log an estimator to MLflow's tracking server; `arguments` are those of `save_model`."""
    given = {"sk_model": sk_model, **arguments}
    registration = {
        "registered_model_name": registered_model_name,
        "await_registration_for": await_registration_for,
    }
    info: ModelInfo = loading.log(FLAVOR_NAME, artifact_path, name, {**registration, **given})
    return info


def get_default_pip_requirements(include_cloudpickle: bool = False, include_skops: bool = False) -> list[str]:
    """Give the requirements that every model of this flavor has."""
    more = [*(["cloudpickle"] if include_cloudpickle else []), *(["skops"] if include_skops else [])]
    return saving.default_requirements("scikit-learn", *more)


def get_default_conda_env(include_cloudpickle: bool = False, include_skops: bool = False) -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(get_default_pip_requirements(include_cloudpickle, include_skops))
