"""What differs between two models, captures, locks or environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.validating.stages.snapshot import INDEX, Package, Snapshot, take


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that is otherwise.

    what: `python`, `platform`, `version`, `requirement`, `origin` or `hash`. name: of a package.
    """

    what: str
    before: str
    after: str
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        named = {"name": self.name} if self.name else {}
        return {**named, "what": self.what, "before": self.before, "after": self.after}


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """From one to another. added: only in the second; interpreter: changes of Python and platform."""

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[Change, ...]
    interpreter: tuple[Change, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.interpreter)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "different": bool(self),
            "interpreter": [each.as_json() for each in self.interpreter],
            "added": [_plain(each) for each in self.added],
            "removed": [_plain(each) for each in self.removed],
            "changed": [each.as_json() for each in self.changed],
        }

    def lines(self) -> Iterator[str]:
        """Yield it for people: `+` for added, `-` for removed, `~` for changed."""
        for each in self.interpreter:
            yield f"~ {each.what} {each.before} → {each.after}"
        for sign, packages in (("-", self.removed), ("+", self.added)):
            for package in packages:
                if package.origin not in (None, INDEX):
                    origin = f" from {package.origin}"
                else:
                    origin = ""
                yield f"{sign} {package.name} {package.version or '(any version)'}{origin}"
        for each in self.changed:
            what = "" if each.what == "version" else f" {each.what}"
            yield f"~ {each.name}{what} {each.before} → {each.after}"


def diff(first: str | Path, second: str | Path) -> Difference:
    """Compare two models, captures (`envkit.json` or its folder), locks, requirements files or environments.

    An environment is named by its folder or interpreter, `current` is that of envkit. What one side
    does not tell is not compared: requirements know no hashes, a lock no single interpreter.
    Nothing of a model is run.

    Raises `InvalidInput` for what is none of these, `InvalidFile` for a malformed file,
    `NotAnInterpreter`.
    """
    before, after = take(first), take(second)
    names = sorted({*before.packages, *after.packages})
    both = [name for name in names if name in before.packages and name in after.packages]
    return Difference(
        added=tuple(after.packages[name] for name in names if name not in before.packages),
        removed=tuple(before.packages[name] for name in names if name not in after.packages),
        changed=tuple(
            each for name in both for each in _changes(before.packages[name], after.packages[name])
        ),
        interpreter=tuple(_interpreter(before, after)),
    )


def _interpreter(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    pairs = {"python": (before.python, after.python), "platform": (before.platform, after.platform)}
    for what, (one, other) in pairs.items():
        if one and other and one != other:
            yield Change(what=what, before=one, after=other)


def _changes(before: Package, after: Package) -> Iterator[Change]:
    if before.version and after.version and before.version != after.version:
        yield Change(what="version", name=before.name, before=before.version, after=after.version)
    elif before.required and after.required and before.required != after.required:
        yield Change(
            what="requirement", name=before.name, before=before.required, after=after.required
        )
    if before.origin and after.origin and not _same_origin(before.origin, after.origin):
        yield Change(what="origin", name=before.name, before=before.origin, after=after.origin)
    if before.version == after.version and (found := _other_hash(before.files, after.files)):
        yield Change(what="hash", name=before.name, before=found[0], after=found[1])


def _same_origin(one: str, other: str) -> bool:
    """Which index it was is compared only where both tell."""
    return one == other or (
        INDEX in (one, other) and one.startswith(INDEX) and other.startswith(INDEX)
    )


def _other_hash(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, str] | None:
    """Of the same file; where no file is the same, of the first."""
    if not before or not after:
        return None
    same = sorted(set(before) & set(after))
    if not same:
        return _hash(before, min(before)), _hash(after, min(after))
    other = next((name for name in same if before[name] != after[name]), None)
    if other is None:
        return None
    return (_hash(before, other), _hash(after, other))


def _hash(files: Mapping[str, str], name: str) -> str:
    return f"{name} sha256:{files[name]}"


def _plain(package: Package) -> dict[str, Any]:
    return {"name": package.name, "version": package.version, "origin": package.origin}
