"""Whether a lock holds for another minor version of Python than the one it was made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.formats import pylock_toml
from envkit.formats.pylock_toml import PyLock

Tags = frozenset[tuple[str, str]]
"""The interpreter and ABI parts of wheel tags; the platform stays the same."""


def excluded(lock: Path, minor: str) -> str:
    """Say which locked package excludes a minor version by its `requires-python`; else empty.

    The text ends a sentence. Raises `InvalidFile`.
    """
    for package in _applicable(pylock_toml.read(lock), minor):
        why = _outside(package.get("requires-python"), minor)
        if why:
            return f"{package['name']} {why}"
    return ""


def why_void(lock: Path, minor: str) -> str:
    """Say why a `pylock.toml` does not hold for a minor version; empty when it does.

    The lock's `requires-python` must admit it, and each package that applies there must have a
    source archive or a wheel whose tags fit. Raises `InvalidFile`.
    """
    content = pylock_toml.read(lock)
    why = _outside(content.requires_python, minor)
    if why:
        return why
    tags = _supported_tags(minor)
    for package in _applicable(content, minor):
        why = _without_file(package, tags)
        if why:
            return f"{package['name']} {why}"
    return ""


def _applicable(content: PyLock, minor: str) -> Iterator[Mapping[str, Any]]:
    """Yield the packages whose marker, if any, holds for a minor version on this machine."""
    # 13 ms, only for this policy
    from packaging.markers import Marker

    environment = {
        "python_version": minor,
        "python_full_version": f"{minor}.0",
        "implementation_version": f"{minor}.0",
    }
    for package in content.packages:
        if "marker" not in package or Marker(package["marker"]).evaluate(environment):
            yield package


def _outside(specifier: str | None, minor: str) -> str:
    """Say that no patch version is admitted: `>=3.11.4` lets 3.11 be tried."""
    from packaging.specifiers import SpecifierSet

    if not specifier:
        return ""
    admitted = SpecifierSet(specifier)
    for patch in (0, 4, 9, 99):
        if admitted.contains(f"{minor}.{patch}", prereleases=True):
            return ""
    return f"asks for Python {specifier}"


def _supported_tags(minor: str) -> Tags:
    """Return the tags that CPython of a minor version supports."""
    from packaging.tags import compatible_tags, cpython_tags

    version = tuple(int(part) for part in minor.split("."))
    abi = f"cp{minor.replace('.', '')}"
    tags = [
        *cpython_tags(version, abis=[abi], platforms=["any"]),
        *compatible_tags(version, interpreter=abi, platforms=["any"]),
    ]
    return frozenset((tag.interpreter, tag.abi) for tag in tags)


def _without_file(package: Mapping[str, Any], supported: Tags) -> str:
    wheels = package.get("wheels", ())
    if not wheels or "sdist" in package:
        return ""
    for wheel in wheels:
        if supported & _tags(_name(wheel)):
            return ""
    return f"is locked only with wheels for another Python ({_names(wheels)})"


def _tags(wheel: str) -> Tags:
    parts = wheel.removesuffix(".whl").split("-")[-3:-1]
    if len(parts) != 2:
        return frozenset()
    pythons, abis = parts
    return frozenset((python, abi) for python in pythons.split(".") for abi in abis.split("."))


def _name(wheel: Mapping[str, Any]) -> str:
    if wheel.get("name"):
        return str(wheel["name"])
    place = str(wheel.get("path") or wheel.get("url") or "")
    return re.split(r"[/\\]", place)[-1]


def _names(wheels: Sequence[Mapping[str, Any]]) -> str:
    first = _name(wheels[0])
    if len(wheels) == 1:
        return first
    return f"{first} and {len(wheels) - 1} more"
