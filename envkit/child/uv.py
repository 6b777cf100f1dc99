"""Where the program uv is: its wheel ships it."""

from __future__ import annotations

from pathlib import Path

from envkit.errors import ToolNotFound


def program() -> Path:
    """Return the path of uv. Raises `ToolNotFound`."""
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise ToolNotFound(
            "uv",
            "It comes with envkit: reinstall envkit, or `pip install uv`. "
            "`--env-manager virtualenv` does without it.",
        ) from None
