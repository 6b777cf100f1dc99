"""`environment_variables.txt`: the names of variables that a model reads, never their values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats.text import read_text

FILE_NAME = "environment_variables.txt"
# word for word what MLflow writes
HEADER = (
    "# This file records environment variable names that are used during model inference.\n"
    "# They might need to be set when creating a serving endpoint from this model.\n"
    "# Note: it is not guaranteed that all environment variables listed here are required\n"
)


def read(path: Path) -> tuple[str, ...]:
    """Give the names, in the file's order.

    Raises `InvalidFile` for a line that is not a name; it may be a value, so it is not shown.
    """
    names: dict[str, None] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if "=" in name or any(letter.isspace() for letter in name):
            raise InvalidFile(
                path,
                f"line {number}",
                "is not the name of a variable",
                "Names only: values do not belong in a model.",
            )
        names[name] = None
    return tuple(names)


def dumps(names: Iterable[str]) -> str:
    """Give the text of the file: the header, then each name once, sorted."""
    return HEADER + "".join(f"{name}\n" for name in sorted(set(names)))
