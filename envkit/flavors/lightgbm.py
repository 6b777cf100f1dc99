"""Models of LightGBM: boosters, and those with scikit-learn's interface.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.lightgbm.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared import pickling
from envkit.flavors._shared.flavor import Flavor, Options, qualified_name
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
_TRUSTED = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMModel",
    "lightgbm.sklearn.LGBMRanker",
    "lightgbm.sklearn.LGBMRegressor",
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
    """Save a `Booster`, in LightGBM's own format, or a model such as `LGBMClassifier`, pickled.

    serialization_format: `pickle`, `cloudpickle` or `skops`, for the latter. skops_trusted_types:
    types that loading with `skops` may make, beside LightGBM's own. The others are those of
    `envkit.pyfunc.saving.save`.
    """
    pickling.check(serialization_format)
    fields = {
        "model_class": qualified_name(lgb_model),
        "serialization_format": serialization_format,
    }
    if fields["model_class"] == loader.BOOSTER:
        _FLAVOR.save(
            path,
            lgb_model.save_model,
            options,
            data="model.lgb",
            fields={"data": "model.lgb", **fields},
        )
        return
    if serialization_format == "skops":
        trusted = sorted({*_TRUSTED, *(skops_trusted_types or ())})
    else:
        trusted = None
    name = pickling.file_name(serialization_format)
    put = pickling.writer(lgb_model, serialization_format, trusted)
    _FLAVOR.save(
        path,
        put,
        options,
        data=name,
        fields={"data": name, **fields, "skops_trusted_types": trusted},
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
