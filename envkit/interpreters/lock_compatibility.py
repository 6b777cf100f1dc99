"""Whether a lock holds for another minor version of Python than the one it was made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from envkit.formats.pylock import Package, PackageWheel, Pylock

Tags = frozenset[tuple[str, str]]
"""The interpreter and ABI parts of wheel tags; the platform stays the same."""


def excluded(lock: Pylock, minor: str) -> str:
    """Say which locked package excludes a minor version by its `requires-python`; else empty.

    The text ends a sentence.
    """
    for package in _applicable(lock, minor):
        why = _outside(package.requires_python, minor)
        if why:
            return f"{package.name} {why}"
    return ""


def why_void(lock: Pylock, minor: str) -> str:
    """Say why a `pylock.toml` does not hold for a minor version; empty when it does.

    The lock's `requires-python` must admit it, and each package that applies there must have a
    source archive or a wheel whose tags fit.
    """
    why = _outside(lock.requires_python, minor)
    if why:
        return why
    tags = _supported_tags(minor)
    for package in _applicable(lock, minor):
        why = _without_file(package, tags)
        if why:
            return f"{package.name} {why}"
    return ""


def _applicable(lock: Pylock, minor: str) -> Iterator[Package]:
    """Yield the packages whose marker, if any, holds for a minor version on this machine."""
    environment = {
        "python_version": minor,
        "python_full_version": f"{minor}.0",
        "implementation_version": f"{minor}.0",
    }
    for package in lock.packages:
        if package.marker is None or package.marker.evaluate(environment):
            yield package


def _outside(admitted: SpecifierSet | None, minor: str) -> str:
    """Say that no patch version is admitted: `>=3.11.4` lets 3.11 be tried."""
    if not admitted:
        return ""
    for patch in (0, 4, 9, 99):
        if admitted.contains(f"{minor}.{patch}", prereleases=True):
            return ""
    return f"requires Python {admitted}"


def _supported_tags(minor: str) -> Tags:
    """Return the tags that CPython of a minor version supports."""
    # only a model whose Python is missing costs this import
    from packaging.tags import compatible_tags, cpython_tags

    version = tuple(int(part) for part in minor.split("."))
    abi = f"cp{minor.replace('.', '')}"
    tags = [
        *cpython_tags(version, abis=[abi], platforms=["any"]),
        *compatible_tags(version, interpreter=abi, platforms=["any"]),
    ]
    return frozenset((tag.interpreter, tag.abi) for tag in tags)


def _without_file(package: Package, supported: Tags) -> str:
    wheels = package.wheels or ()
    if not wheels or package.sdist is not None:
        return ""
    for wheel in wheels:
        if supported & _tags(wheel.filename):
            return ""
    return f"is locked only with wheels for another Python ({_names(wheels)})"


def _tags(wheel: str) -> Tags:
    parts = wheel.removesuffix(".whl").split("-")[-3:-1]
    if len(parts) != 2:
        return frozenset()
    pythons, abis = parts
    return frozenset((python, abi) for python in pythons.split(".") for abi in abis.split("."))


def _names(wheels: Sequence[PackageWheel]) -> str:
    first = wheels[0].filename
    if len(wheels) == 1:
        return first
    return f"{first} and {len(wheels) - 1} more"
