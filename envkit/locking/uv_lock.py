"""`uv.lock`: a model made inside a uv project finds hashes and URLs there, without asking any index.

https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.locking import indexes

FILE_NAME = "uv.lock"


def entries(model: Path) -> Mapping[tuple[str, str], LockedPackage]:
    """Give what the lock of the project knows, by name and version; empty when there is none that can be read.

    It lies in the model directory, or in the nearest folder above the working directory that has
    one.
    """
    try:
        working = Path.cwd()
    except OSError:  # it was removed
        working = model
    folders = (model, working, *working.parents)
    path = next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return dict(_entries(content.get("package", ())))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # it is uv's file, and a later uv may write it otherwise: then indexes are asked as ever
        return {}


def _entries(packages: list[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], LockedPackage]]:
    for each in packages:
        registry = each.get("source", {}).get("registry", "")
        wheels = [
            _wheel(wheel) for wheel in each.get("wheels", ()) if "url" in wheel and "hash" in wheel
        ]
        if not wheels or not registry.startswith(("https:", "http:")):
            continue
        entry: dict[str, Any] = {"name": each["name"], "version": each["version"], "wheels": wheels}
        if "//pypi.org/" not in registry:
            entry["index"] = indexes.placeheld(registry)
        yield (each["name"], each["version"]), entry


def _wheel(wheel: Mapping[str, str]) -> dict[str, Any]:
    algorithm, _, digest = wheel["hash"].partition(":")
    return {"url": without_credentials(wheel["url"]), "hashes": {algorithm: digest}}
