"""What differs between two models, captures, locks or environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.validating.stages import snapshot
from envkit.validating.stages.snapshot import INDEX, Package, Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that differs.

    Attributes:
        what: `python`, `platform`, `version`, `requirement`, `origin` or `hash`.
        before: The value on the first side.
        after: The value on the second side.
        name: Of the package; empty for the interpreter.
    """

    what: str
    before: str
    after: str
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the change as a JSON object."""
        change = {"what": self.what, "before": self.before, "after": self.after}
        if self.name:
            return {"name": self.name, **change}
        return change


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The changes from one side to the other; false when nothing differs.

    Attributes:
        added: Packages of the second side only.
        removed: Packages of the first side only.
        changed: Changes of the packages on both sides.
        interpreter: Changes of Python and platform.
    """

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[Change, ...]
    interpreter: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.interpreter)

    def as_json(self) -> dict[str, Any]:
        """Give the difference as a JSON object."""
        return {
            "different": bool(self),
            "interpreter": [change.as_json() for change in self.interpreter],
            "added": [_package_as_json(package) for package in self.added],
            "removed": [_package_as_json(package) for package in self.removed],
            "changed": [change.as_json() for change in self.changed],
        }

    def lines(self) -> Iterator[str]:
        """Yield the difference for people: `+` for added, `-` for removed, `~` for changed."""
        for change in self.interpreter:
            yield f"~ {change.what} {change.before} → {change.after}"
        for package in self.removed:
            yield f"- {_description(package)}"
        for package in self.added:
            yield f"+ {_description(package)}"
        for change in self.changed:
            what = "" if change.what == "version" else f" {change.what}"
            yield f"~ {change.name}{what} {change.before} → {change.after}"


def diff(first: str | Path, second: str | Path) -> Difference:
    """Compare two models, captures, locks, requirements files or environments; run no model.

    What one side does not say is not compared: requirements know no hashes, a lock no single
    interpreter.

    Args:
        first: A model, a capture (`envkit.json` or its folder), a `pylock.toml`, a requirements
            file, a `conda.yaml`, or an environment: its folder, its interpreter, or `current` for
            that of envkit.
        second: The same.

    Returns:
        What changes from the first to the second.

    Raises:
        InvalidInput: A side is something else.
        InvalidFile: A file is malformed.
        NotAnInterpreter: An environment's interpreter does not start.
    """
    before, after = snapshot.take(first), snapshot.take(second)
    added: list[Package] = []
    removed: list[Package] = []
    changed: list[Change] = []
    for name in sorted({*before.packages, *after.packages}):
        if name not in before.packages:
            added.append(after.packages[name])
        elif name not in after.packages:
            removed.append(before.packages[name])
        else:
            changed += _package_changes(before.packages[name], after.packages[name])
    return Difference(
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
        interpreter=tuple(_interpreter_changes(before, after)),
    )


def _interpreter_changes(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    if before.python and after.python and before.python != after.python:
        yield Change(what="python", before=before.python, after=after.python)
    if before.platform and after.platform and before.platform != after.platform:
        yield Change(what="platform", before=before.platform, after=after.platform)


def _package_changes(before: Package, after: Package) -> Iterator[Change]:
    pairs = {
        "version": (before.version, after.version),
        "requirement": (before.required, after.required),
        "origin": (before.origin, after.origin),
        "hash": _hashes(before.files, after.files),
    }
    different = {what for what, (one, other) in pairs.items() if one and other and one != other}
    # a requirement follows its version
    if "version" in different:
        different.discard("requirement")
    if before.version != after.version:
        different.discard("hash")
    if _same_index(before.origin or "", after.origin or ""):
        different.discard("origin")
    for what, (one, other) in pairs.items():
        if what in different:
            yield Change(what=what, name=before.name, before=one or "", after=other or "")


def _same_index(one: str, other: str) -> bool:
    """Which index it was is only compared where both sides say so."""
    return INDEX in (one, other) and one.startswith(INDEX) and other.startswith(INDEX)


def _hashes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, str]:
    """Give the first file with two hashes; without a common file, the first of each side."""
    if not before or not after:
        return "", ""
    common = sorted(before.keys() & after.keys())
    if not common:
        return _hash(before, min(before)), _hash(after, min(after))
    for name in common:
        if before[name] != after[name]:
            return _hash(before, name), _hash(after, name)
    return "", ""


def _hash(files: Mapping[str, str], name: str) -> str:
    return f"{name} sha256:{files[name]}"


def _description(package: Package) -> str:
    text = f"{package.name} {package.version or '(any version)'}"
    if package.origin in (None, INDEX):
        return text
    return f"{text} from {package.origin}"


def _package_as_json(package: Package) -> dict[str, Any]:
    return {"name": package.name, "version": package.version, "origin": package.origin}
