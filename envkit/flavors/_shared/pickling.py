"""The three ways to pickle a model with scikit-learn's interface."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading

FORMATS = ("pickle", "cloudpickle", "skops")


def check(form: str) -> None:
    """Raise `InvalidArgument` for an unknown format."""
    if form not in FORMATS:
        formats = ", ".join(FORMATS)
        raise InvalidArgument(f"serialization_format must be one of {formats}, not {form!r}.")


def file_name(form: str) -> str:
    """Return the name that MLflow gives the file."""
    if form == "skops":
        return "model.skops"
    return "model.pkl"


def writer(model: Any, form: str, trusted: Sequence[str] | None) -> Callable[[Path], None]:
    """Return the function that writes a model to a path.

    trusted: types that loading with skops may create. The function raises `InvalidArgument` for
    other types, and `ToolNotFound` if skops or cloudpickle is not installed.
    """

    def write(path: Path) -> None:
        if form == "skops":
            _write_skops(model, path, trusted or ())
            return
        if form == "pickle":
            dump = pickle.dump
        else:
            dump = loading.library("cloudpickle").dump
        with path.open("wb") as stream:
            dump(model, stream, protocol=pickle.DEFAULT_PROTOCOL)

    return write


def requirements(include_cloudpickle: bool, include_skops: bool) -> list[str]:
    """Return the distributions that read such files."""
    names = []
    if include_cloudpickle:
        names.append("cloudpickle")
    if include_skops:
        names.append("skops")
    return names


def _write_skops(model: Any, path: Path, trusted: Sequence[str]) -> None:
    skops = loading.library("skops.io", "skops")
    skops.dump(model, path)
    untrusted = sorted(set(skops.get_untrusted_types(file=path)) - set(trusted))
    if untrusted:
        raise InvalidArgument(
            f"The model contains types that skops does not trust: {', '.join(untrusted)}. "
            f"If you trust them, use skops_trusted_types={untrusted!r}."
        )
