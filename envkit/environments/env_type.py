"""The kinds of environments that a model can run in."""

from __future__ import annotations

from enum import StrEnum


class EnvType(StrEnum):
    """How the environment of a model is made; the values are those of `--env-manager`."""

    LOCAL = "local"
    VIRTUALENV = "virtualenv"
    UV = "uv"
    CONDA = "conda"
