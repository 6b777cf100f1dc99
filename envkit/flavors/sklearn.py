"""scikit-learn estimators and pipelines.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.sklearn.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import pickling
from envkit.flavors._shared.flavor import Content, Flavor, Options
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
    """Save a scikit-learn estimator or pipeline. Corresponds to `mlflow.sklearn.save_model`.

    Args:
        sk_model: The fitted estimator or pipeline.
        path: The model directory; a new or an empty folder.
        serialization_format: `cloudpickle`, which includes classes of `__main__`; `pickle`; or
            `skops`, which loads trusted types only.
        pyfunc_predict_fn: Method that predicts, such as `predict_proba`.
        skops_trusted_types: Types that loading with skops may create, in addition to those that
            skops trusts.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If scikit-learn, cloudpickle or skops is needed and not installed.
        InvalidArgument: If an argument is invalid, or skops does not trust a type.
        CaptureFailed: If the model does not load and predict in a process of its own.

    Examples:
        >>> save_model(estimator, "model", input_example=frame.head())  # doctest: +SKIP
    """
    pickling.check(serialization_format)
    trusted = list(skops_trusted_types or ()) or None
    name = pickling.file_name(serialization_format)
    content = Content(
        data=name,
        write=pickling.writer(sk_model, serialization_format, trusted),
        section={
            "pickled_model": name,
            "serialization_format": serialization_format,
            "skops_trusted_types": trusted,
        },
        python_function={"model_path": name, "predict_fn": pyfunc_predict_fn},
        predicts=hasattr(sk_model, pyfunc_predict_fn),
    )
    _FLAVOR.save(path, options, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> list[str]:
    """Return the requirements that every model of this flavor has at least.

    Args:
        include_cloudpickle: Whether the model is pickled with cloudpickle.
        include_skops: Whether the model is saved with skops.

    Returns:
        PEP 508 lines, pinned to the installed versions.
    """
    extra = pickling.requirements(include_cloudpickle, include_skops)
    return _FLAVOR.get_default_pip_requirements(*extra)


def get_default_conda_env(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> dict[str, Any]:
    """Return the conda environment that every model of this flavor needs at least.

    Args:
        include_cloudpickle: Whether the model is pickled with cloudpickle.
        include_skops: Whether the model is saved with skops.

    Returns:
        Content of a `conda.yaml`.
    """
    extra = pickling.requirements(include_cloudpickle, include_skops)
    return _FLAVOR.get_default_conda_env(*extra)
