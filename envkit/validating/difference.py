"""What differs between two models, captures, locks or environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from envkit.validating.stages import snapshot
from envkit.validating.stages.snapshot import INDEX, Package, Snapshot

Hashes: TypeAlias = Mapping[str, str]


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
    name = before.name
    old, new = before.version, after.version
    if old and new and old != new:
        yield Change(what="version", name=name, before=old, after=new)
    elif before.required and after.required and before.required != after.required:
        yield Change(what="requirement", name=name, before=before.required, after=after.required)
    if before.origin and after.origin and not _same_origin(before.origin, after.origin):
        yield Change(what="origin", name=name, before=before.origin, after=after.origin)
    if old == new:
        yield from _hash_change(name, before.files, after.files)


def _same_origin(one: str, other: str) -> bool:
    """Whether two origins are equal; which index it was only counts where both say so."""
    if INDEX in (one, other):
        return one.startswith(INDEX) and other.startswith(INDEX)
    return one == other


def _hash_change(name: str, before: Hashes, after: Hashes) -> Iterator[Change]:
    """Yield the first file with two hashes; without a common file, the first of each side."""
    if not before or not after:
        return
    files = [(file, file) for file in sorted(before.keys() & after.keys())]
    files = files or [(min(before), min(after))]
    for old_file, new_file in files:
        old = f"{old_file} sha256:{before[old_file]}"
        new = f"{new_file} sha256:{after[new_file]}"
        if old != new:
            yield Change(what="hash", name=name, before=old, after=new)
            return


def _description(package: Package) -> str:
    text = f"{package.name} {package.version or '(any version)'}"
    if package.origin in (None, INDEX):
        return text
    return f"{text} from {package.origin}"


def _package_as_json(package: Package) -> dict[str, Any]:
    return {"name": package.name, "version": package.version, "origin": package.origin}
