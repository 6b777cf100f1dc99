"""A model of some library, made in the test; also for a Python without envkit, in which MLflow saves it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of model of a flavor.

    make: makes the model. example: what it predicts on. options: arguments of both `save_model`s. mlflow: those of
    MLflow's that are called otherwise. saved_by_mlflow, loaded_by_mlflow: whether the MLflow that is installed can.
    """

    name: str
    make: Callable[[], Any]
    example: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    mlflow: Mapping[str, Any] = field(default_factory=dict)
    saved_by_mlflow: bool = True
    loaded_by_mlflow: bool = True


def cases_of(flavor: str) -> list[Case]:
    """Make the cases of a flavor, for which its library must be installed; the first few when so many are asked for."""
    found: list[Case] = import_module(f"tests.flavors.cases.{flavor}").cases()
    return found[: int(os.environ.get("ENVKIT_TEST_CASES") or len(found))]


def plain(value: Any) -> Any:
    """Give an answer as JSON values, a data frame or a column of one as records."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return plain(value.to_dict(orient="records"))
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "to_frame"):
        return plain(value.to_frame())
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Name what differs between two plain answers; numbers may differ by as much as another machine's do."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [each for key in one for each in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [each for index, pair in pairs for each in differences(*pair, f"{where}[{index}]")]
    if isinstance(one, int | float) and isinstance(other, int | float):
        same = math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-5) or (one != one and other != other)
    else:
        same = one == other
    return [] if same else [f"{where or 'answer'}: {one!r} is not {other!r}"]
