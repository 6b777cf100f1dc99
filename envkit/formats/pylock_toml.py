"""`pylock.toml`: the closure with hashes and origins.

PEP 751, https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from envkit.errors import InvalidFile
from envkit.formats.text import read_text

FILE_NAME = "pylock.toml"
LOCK_VERSION = "1.0"
CREATED_BY = "envkit"

LockedPackage: TypeAlias = Mapping[str, Any]
"""One `[[packages]]` table: `name`, `version`, and `wheels`, `sdist`, `archive`, `vcs` or `directory`."""

_FIRST = (
    "lock-version",
    "environments",
    "requires-python",
    "extras",
    "dependency-groups",
    "default-groups",
)
_PACKAGE = (
    "name",
    "version",
    "marker",
    "requires-python",
    "dependencies",
    "vcs",
    "directory",
    "archive",
    "index",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PyLock:
    """A valid lock. content: the whole file, also the `tool` tables and keys that envkit has no use for."""

    content: Mapping[str, Any]

    @property
    def packages(self) -> Sequence[LockedPackage]:
        """The locked packages."""
        packages: Sequence[LockedPackage] = self.content["packages"]
        return packages

    @property
    def requires_python(self) -> str | None:
        """The Python versions it holds for, as a specifier; None when it does not say."""
        return self.content.get("requires-python")


def read(path: Path) -> PyLock:
    """Read and check the file. Raises `InvalidFile`, naming the key, for what breaks the specification."""
    import tomllib  # only a reader of locks needs it

    try:
        content = tomllib.loads(read_text(path).replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(path, "", f"is not valid TOML: {error}") from error
    except RecursionError as error:
        raise InvalidFile(path, "", "is nested too deeply") from error
    _check(content, path)
    return PyLock(content=content)


def dumps(
    *,
    packages: Iterable[LockedPackage],
    requires_python: str | None = None,
    environments: Sequence[str] = (),
) -> str:
    """Give the text of a lock of these packages, sorted by name; equal packages give equal bytes.

    requires_python: a specifier, `==3.11.*`. environments: markers of the environments that it is
    for. Raises `InvalidFile` when the packages are not as the specification wants them.
    """
    content: dict[str, Any] = {"lock-version": LOCK_VERSION}
    if environments:
        content["environments"] = list(environments)
    if requires_python is not None:
        content["requires-python"] = requires_python
    content["created-by"] = CREATED_BY
    content["packages"] = [dict(each) for each in packages]
    _check(content, Path(FILE_NAME))
    content["packages"] = sorted((_ordered(each) for each in content["packages"]), key=_order)
    return dump(PyLock(content=content))


def dump(lock: PyLock) -> str:
    """Give the text of a whole lock, keys in the specification's order. Raises `InvalidFile` for a wrong one."""
    import tomli_w  # only a capture writes

    _check(lock.content, Path(FILE_NAME))
    last = [key for key in lock.content if key not in _FIRST]
    return tomli_w.dumps(
        {key: lock.content[key] for key in (*_FIRST, *last) if key in lock.content}
    )


def built_from(reference: str) -> dict[str, Any]:
    """The part of an entry that says from which commit (`git+https://…@commit`) its wheel was built."""
    return {"tool": {CREATED_BY: {"built-from": reference}}}


def source_of(package: LockedPackage) -> str:
    """What `built_from` noted; empty where nothing is."""
    noted = package.get("tool", {}).get(CREATED_BY, {})
    if isinstance(noted, Mapping):
        return str(noted.get("built-from", ""))
    return ""


def _check(content: Mapping[str, Any], path: Path) -> None:
    # 30 ms that only a reader of locks needs
    from packaging.pylock import Pylock, PylockValidationError

    try:
        Pylock.from_dict(content)
    except PylockValidationError as error:
        raise InvalidFile(path, error.context or "", f"breaks PEP 751: {error.message}") from error


def _ordered(package: LockedPackage) -> dict[str, Any]:
    rest = sorted(key for key in package if key not in _PACKAGE)
    ordered = {key: package[key] for key in (*_PACKAGE, *rest) if key in package}
    if "wheels" in ordered:
        ordered["wheels"] = sorted(
            ordered["wheels"], key=lambda wheel: str(wheel.get("url") or wheel.get("path"))
        )
    return ordered


def _order(package: LockedPackage) -> tuple[str, str]:
    return str(package.get("name")), str(package.get("version"))
