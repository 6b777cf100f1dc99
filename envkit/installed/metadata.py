"""Metadata of installed distributions as they lie on the disk; what is damaged is told, never guessed."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from importlib_metadata import PathDistribution

from envkit.errors import InvalidFile


class Metadata(PathDistribution):
    """The metadata folder of one distribution. Reading a file of it that is no text raises `InvalidFile`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        """Give the content of a file, None when it is not there."""
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
        raise damaged(path, "has a MAPPING that is no dictionary")
    return mapping


def damaged(path: Path, problem: str) -> InvalidFile:
    """Make the error for a file of an installed distribution."""
    return InvalidFile(path, "", problem, "Install that distribution anew.")
