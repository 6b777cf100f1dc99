"""An environment by its folder: of an image, or an unpacked archive of `envkit pack`."""

from __future__ import annotations

import os
from pathlib import Path

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.errors import InvalidArgument
from envkit.installed import conda_meta

VARIABLE = "ENVKIT_ENVIRONMENT"


def open_folder(folder: str | Path) -> Environment:
    """Take the environment in a folder as it is. Raises `InvalidArgument` when there is none."""
    path = Path(folder).absolute()
    python = path / "bin" / "python"
    if not os.access(python, os.X_OK) or python.is_dir():
        raise InvalidArgument(
            f"{path} is not an environment: {python} is not a program. "
            "Name the folder of an image's environment or of an unpacked `envkit pack` archive."
        )
    is_conda = (path / conda_meta.FOLDER).is_dir()
    manager = EnvType.CONDA if is_conda else EnvType.UV
    return Environment(python=python, path=path, key="", manager=manager)
