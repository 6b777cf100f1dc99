"""`uv.lock`: hashes and URLs for a model made inside a uv project, without asking an index.

https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import Package, PackageWheel
from envkit.locking import indexes

FILE_NAME = "uv.lock"


def entries(model: Path) -> Mapping[tuple[str, str], Package]:
    """Give the packages of the project's lock by name and version; empty if none can be parsed.

    It lies in the model directory, or in the nearest folder above the working directory that has
    one.
    """
    path = _nearest(model)
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return dict(_entries(content.get("package", ())))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # a later uv may write its file in another way: then indexes are asked as always
        return {}


def _nearest(model: Path) -> Path | None:
    try:
        working = Path.cwd()
    except OSError:
        # it was removed
        working = model
    for folder in (model, working, *working.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def _entries(packages: list[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Package]]:
    for package in packages:
        registry = package.get("source", {}).get("registry", "")
        wheels = [
            _wheel(wheel)
            for wheel in package.get("wheels", ())
            if "url" in wheel and "hash" in wheel
        ]
        if not wheels or not registry.startswith(("https:", "http:")):
            continue
        is_pypi = "//pypi.org/" in registry
        yield (
            (package["name"], package["version"]),
            Package(
                name=canonicalize_name(package["name"]),
                version=Version(package["version"]),
                index=None if is_pypi else indexes.with_placeholders(registry),
                wheels=wheels,
            ),
        )


def _wheel(wheel: Mapping[str, str]) -> PackageWheel:
    algorithm, _, digest = wheel["hash"].partition(":")
    return PackageWheel(url=without_credentials(wheel["url"]), hashes={algorithm: digest})
