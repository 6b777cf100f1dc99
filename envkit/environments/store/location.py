"""Where the environment store lies."""

from __future__ import annotations

import os
from pathlib import Path

from envkit.child.variables import Variables
from envkit.errors import InvalidArgument
from envkit.models import store_folder
from envkit.models.store_folder import VARIABLE

REMEDY = f"Choose another folder: {VARIABLE}."


def root_from(argument: Path | None, environ: Variables) -> Path:
    """Return the store's real path: the argument, else ENVKIT_HOME, else the user's cache folder.

    Raises `InvalidArgument` for a path that virtual environments or installers do not support, and
    `UnsafeStore` for a folder in which other users could have put something.
    """
    root = store_folder.real_path(argument, environ)
    try:
        root.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"The path of the environment store, {root!r}, is not UTF-8. {REMEDY}"
        ) from None
    if os.pathsep in root or not root.isprintable():
        raise InvalidArgument(
            f"The path of the environment store, {root!r}, contains '{os.pathsep}' or a control "
            f"character, which virtual environments do not support. {REMEDY}"
        )
    return Path(root)
