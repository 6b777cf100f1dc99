"""The switch that refuses pickles, under MLflow's name: reading one can run any code."""

from __future__ import annotations

import os

VARIABLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
FORBIDDEN = ("false", "0")


class PickleRefused(RuntimeError):
    """The model is a pickle, and reading pickles is not allowed."""


def refuse_if_forbidden(path: str) -> None:
    """Raise `PickleRefused` for a file that is read as a pickle, if the variable forbids that."""
    # of a copy: a trace would record the variable as one that the model reads
    if os.environ.copy().get(VARIABLE, "").strip().lower() in FORBIDDEN:
        raise PickleRefused(
            f"{os.path.basename(path)} is a pickle, which can run any code when it is read, and "
            f"{VARIABLE} is false. Save the model as code or in a format of its library, or set "
            "the variable to true"
        )
