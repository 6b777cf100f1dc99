"""The three ways in which models with scikit-learn's interface are pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading

FORMATS = ("pickle", "cloudpickle", "skops")


def check(form: str) -> None:
    """Raise `InvalidArgument` for a format that is none of them."""
    if form not in FORMATS:
        raise InvalidArgument(f"serialization_format is one of {', '.join(FORMATS)}, not {form!r}.")


def file_name(form: str) -> str:
    """Give the name that MLflow gives such a file."""
    if form == "skops":
        return "model.skops"
    return "model.pkl"


def writer(model: Any, form: str, trusted: Sequence[str] | None) -> Callable[[Path], None]:
    """Give the function that writes the model to a path. trusted: the types that loading with `skops` may make.

    It raises `InvalidArgument` for types that are not trusted, `ToolNotFound` without skops or
    cloudpickle.
    """

    def write(path: Path) -> None:
        if form == "skops":
            _write_skops(model, path, trusted)
            return
        if form == "pickle":
            dump = pickle.dump
        else:
            dump = loading.library("cloudpickle").dump
        with path.open("wb") as stream:
            dump(model, stream, protocol=pickle.DEFAULT_PROTOCOL)

    return write


def needs(include_cloudpickle: bool, include_skops: bool) -> list[str]:
    """Give the distributions that reading such files needs."""
    return [
        *(["cloudpickle"] if include_cloudpickle else []),
        *(["skops"] if include_skops else []),
    ]


def _write_skops(model: Any, path: Path, trusted: Sequence[str] | None) -> None:
    io = loading.library("skops.io", "skops")
    io.dump(model, path)
    unknown = sorted(set(io.get_untrusted_types(file=path)) - set(trusted or ()))
    if unknown:
        raise InvalidArgument(
            f"The model holds types that skops does not trust: {', '.join(unknown)}. "
            f"If you do, write skops_trusted_types={unknown!r}."
        )
