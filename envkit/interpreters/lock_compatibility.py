"""Whether a lock holds for another minor version of Python than the one it was made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.formats import pylock_toml
from envkit.formats.pylock_toml import PyLock


def excluded(lock: Path, minor: str) -> str:
    """Say which locked package refuses a minor version by its `requires-python`, in a sentence's end; else empty.

    Raises `InvalidFile`.
    """
    for package in _applying(pylock_toml.read(lock), minor):
        if why := _outside(package.get("requires-python"), minor):
            return f"{package['name']} {why}"
    return ""


def why_void(lock: Path, minor: str) -> str:
    """Say why a `pylock.toml` as a whole holds for no interpreter of a minor version; empty when it holds.

    Asked are the lock's `requires-python`, and whether each package that applies there has a source
    archive or a wheel whose tags fit. Raises `InvalidFile`.
    """
    content = pylock_toml.read(lock)
    if why := _outside(content.requires_python, minor):
        return why
    fitting = _fitting_tags(minor)
    found = ((each["name"], _without_file(each, fitting)) for each in _applying(content, minor))
    return next((f"{name} {why}" for name, why in found if why), "")


def _applying(content: PyLock, minor: str) -> Iterator[Mapping[str, Any]]:
    """Yield the packages whose marker, if any, holds for a minor version on this machine."""
    from packaging.markers import Marker  # 13 ms, only for this policy

    environment = {
        "python_version": minor,
        "python_full_version": f"{minor}.0",
        "implementation_version": f"{minor}.0",
    }
    for package in content.packages:
        if "marker" not in package or Marker(package["marker"]).evaluate(environment):
            yield package


def _outside(specifier: str | None, minor: str) -> str:
    """Any patch version may fit: `>=3.11.4` lets 3.11 be tried."""
    from packaging.specifiers import SpecifierSet

    if not specifier:
        return ""
    allowed = SpecifierSet(specifier)
    if any(allowed.contains(f"{minor}.{patch}", prereleases=True) for patch in (0, 4, 9, 99)):
        return ""
    return f"asks for Python {specifier}"


def _fitting_tags(minor: str) -> frozenset[tuple[str, str]]:
    """Give the interpreter and ABI parts of the tags that a CPython takes; the platform stays the same."""
    from packaging.tags import compatible_tags, cpython_tags

    version = tuple(int(part) for part in minor.split("."))
    abi = f"cp{minor.replace('.', '')}"
    tags = [
        *cpython_tags(version, abis=[abi], platforms=["any"]),
        *compatible_tags(version, interpreter=abi, platforms=["any"]),
    ]
    return frozenset((tag.interpreter, tag.abi) for tag in tags)


def _without_file(package: Mapping[str, Any], fitting: frozenset[tuple[str, str]]) -> str:
    wheels = package.get("wheels", ())
    if not wheels or "sdist" in package:
        return ""
    if any(fitting & _tags(_name(each)) for each in wheels):
        return ""
    return f"is locked with wheels for another Python alone ({_names(wheels)})"


def _tags(wheel: str) -> frozenset[tuple[str, str]]:
    parts = wheel.removesuffix(".whl").split("-")[-3:-1]
    if len(parts) != 2:
        return frozenset()
    return frozenset((python, abi) for python in parts[0].split(".") for abi in parts[1].split("."))


def _name(wheel: Mapping[str, Any]) -> str:
    return str(
        wheel.get("name")
        or re.split(r"[/\\]", str(wheel.get("path") or wheel.get("url") or ""))[-1]
    )


def _names(wheels: Sequence[Mapping[str, Any]]) -> str:
    names = [_name(each) for each in wheels]
    if len(names) == 1:
        return names[0]
    return f"{names[0]} and {len(names) - 1} more"
