"""Models of scikit-learn: estimators and pipelines.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.sklearn.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import pickling
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import sklearn as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "sklearn"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SERIALIZATION_FORMAT_SKOPS = "skops"
SUPPORTED_SERIALIZATION_FORMATS = list(pickling.FORMATS)
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="sklearn",
    distribution="scikit-learn",
    version_key="sklearn_version",
    parameter="sk_model",
)


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

    serialization_format: `pickle`, `cloudpickle`, which also takes classes of `__main__` along, or
    `skops`, which loads only types that are trusted: those that `skops_trusted_types` names.
    pyfunc_predict_fn: the method that predicts. The other parameters are those of
    `envkit.pyfunc.saving.save`.
    """
    pickling.check(serialization_format)
    trusted = list(skops_trusted_types) if skops_trusted_types else None
    name = pickling.file_name(serialization_format)
    _FLAVOR.save(
        path,
        pickling.writer(sk_model, serialization_format, trusted),
        options,
        data=name,
        fields={
            "pickled_model": name,
            "serialization_format": serialization_format,
            "skops_trusted_types": trusted,
        },
        python_function={"model_path": name, "predict_fn": pyfunc_predict_fn},
        predicts=hasattr(sk_model, pyfunc_predict_fn),
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> list[str]:
    """Give the requirements that every model of this flavor has at least."""
    return _FLAVOR.get_default_pip_requirements(*pickling.needs(include_cloudpickle, include_skops))


def get_default_conda_env(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(
        get_default_pip_requirements(include_cloudpickle, include_skops)
    )
