"""`Case`: one kind of model of a library. Also imported where only MLflow is installed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

FLAVOR = os.environ.get("ENVKIT_TEST_FLAVOR", "")
"""The flavor that is tested, if any."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of model of a flavor.

    make: makes the model. example: what it predicts on. params: what it predicts with. options:
    arguments of both `save_model`s. mlflow: those of MLflow's that are called otherwise. loading:
    arguments of `load_model`. saved_by_mlflow, loaded_by_mlflow: whether the MLflow that is
    installed can. by_name: `make` gives arguments of `save_model`, not the model. by_hand: writes
    what neither saves any more, in the place of `make`. volatile: keys of an answer that each
    answer has anew.
    """

    name: str
    make: Callable[[], Any] = dict
    example: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    mlflow: Mapping[str, Any] = field(default_factory=dict)
    loading: Mapping[str, Any] = field(default_factory=dict)
    saved_by_mlflow: bool = True
    loaded_by_mlflow: bool = True
    params: Mapping[str, Any] | None = None
    by_name: bool = False
    by_hand: Callable[[Path], None] | None = None
    volatile: tuple[str, ...] = ()

    def save(self, module: Any, folder: Path, options: Mapping[str, Any]) -> None:
        """Save it into a folder with the `save_model` of a module."""
        if self.by_hand is not None:
            self.by_hand(folder)
            return
        given = {
            "input_example": self.example if self.params is None else (self.example, self.params),
            **options,
        }
        made = self.make()
        if self.by_name:
            module.save_model(str(folder), **made, **given)
        else:
            module.save_model(made, str(folder), **given)

    def answer(self, model: Any) -> Any:
        """Predict with a loaded model, and return the answer as JSON values."""
        return self.plain(
            model.predict(self.example, **({} if self.params is None else {"params": self.params}))
        )

    def plain(self, answer: Any) -> Any:
        """Return an answer as JSON values without volatile ones."""
        return _without(plain(answer), self.volatile)


def cases_of(flavor: str) -> list[Case]:
    """Return the cases of a flavor whose library is installed; the first few if limited."""
    found: list[Case] = import_module(f"tests.flavors.cases.{flavor}").cases()
    return found[: int(os.environ.get("ENVKIT_TEST_CASES") or len(found))]


def plain(value: Any) -> Any:
    """Return an answer as JSON values, a data frame or series as records."""
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
    if hasattr(value, "numpy") and not hasattr(value, "tolist"):
        return plain(value.numpy())
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, keys) for key, each in value.items() if key not in keys}
    return [_without(each, keys) for each in value] if isinstance(value, list) else value


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Describe the differences of two plain answers; numbers may differ as between machines."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [each for key in one for each in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [each for index, pair in pairs for each in differences(*pair, f"{where}[{index}]")]
    if isinstance(one, int | float) and isinstance(other, int | float):
        same = math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-5) or (
            one != one and other != other
        )
    else:
        same = one == other
    return [] if same else [f"{where or 'answer'}: {one!r} is not {other!r}"]
