"""The metadata files of an installed distribution. A damaged file raises `InvalidFile`."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from importlib_metadata import PathDistribution

from envkit.errors import InvalidFile


class Metadata(PathDistribution):
    """A metadata folder. Reading a file that is not text raises `InvalidFile`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        """Return the content of a file, None if it does not exist."""
        try:
            return super().read_text(filename)
        except UnicodeDecodeError as error:
            raise damaged(self._folder / filename, f"is not UTF-8 text ({error})") from error


def finder_mapping(text: str, path: Path) -> dict[str, str]:
    """Read the MAPPING that setuptools writes into an editable finder. Raises `InvalidFile`."""
    try:
        mapping = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise damaged(path, "has a MAPPING that cannot be read") from error
    if not isinstance(mapping, dict):
        raise damaged(path, "has a MAPPING that is not a dictionary")
    return mapping


def damaged(path: Path, problem: str) -> InvalidFile:
    """Return the error for a file of an installed distribution."""
    return InvalidFile(path, "", problem, "Reinstall the distribution.")
