"""LightGBM models: boosters, and models with scikit-learn's interface.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.lightgbm.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import pickling
from envkit.flavors._shared.flavor import Content, Flavor, Options, qualified_name
from envkit.inside.loaders import lightgbm as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "lightgbm"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="lightgbm",
    version_key="lgb_version",
    parameter="lgb_model",
)
_BOOSTER_FILE = "model.lgb"
# LightGBM's own types, which skops does not know.
_TRUSTED = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMModel",
        "lightgbm.sklearn.LGBMRanker",
        "lightgbm.sklearn.LGBMRegressor",
    }
)


@saving.with_options
def save_model(
    lgb_model: Any,
    path: str | Path,
    *,
    serialization_format: str = "cloudpickle",
    skops_trusted_types: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> None:
    """Save a LightGBM model. Corresponds to `mlflow.lightgbm.save_model`.

    Args:
        lgb_model: A `Booster`, which is saved in LightGBM's own format, or a model such as
            `LGBMClassifier`, which is pickled.
        path: The model directory; a new or an empty folder.
        serialization_format: How to pickle: `pickle`, `cloudpickle` or `skops`.
        skops_trusted_types: Types that loading with skops may create, in addition to LightGBM's.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If LightGBM, cloudpickle or skops is needed and not installed.
        InvalidArgument: If an argument is invalid, or skops does not trust a type.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    pickling.check(serialization_format)
    model_class = qualified_name(lgb_model)
    section: dict[str, Any] = {
        "model_class": model_class,
        "serialization_format": serialization_format,
    }
    if model_class == loader.BOOSTER:
        name = _BOOSTER_FILE
        write = lgb_model.save_model
    else:
        trusted = None
        if serialization_format == "skops":
            trusted = sorted(_TRUSTED.union(skops_trusted_types or ()))
        name = pickling.file_name(serialization_format)
        write = pickling.writer(lgb_model, serialization_format, trusted)
        section["skops_trusted_types"] = trusted
    content = Content(data=name, write=write, section={"data": name, **section})
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
