"""`pylock.toml`: the closure with hashes and origins.

PEP 751, https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.errors import InvalidFile
from envkit.formats.text import decode_text, read_bytes

if TYPE_CHECKING:
    from envkit.formats.pylock import Package, Pylock

FILE_NAME = "pylock.toml"
LOCK_VERSION = "1.0"
CREATED_BY = "envkit"


@dataclass(frozen=True, kw_only=True)
class LockFile:
    """A lock and where it is. It is read when it is first asked for, and once.

    content: of a file that is not written yet.
    """

    path: Path
    content: bytes | None = field(default=None, compare=False, repr=False)

    @cached_property
    def raw(self) -> bytes:
        """The bytes of the file. Raises `InvalidFile` when it cannot be read."""
        if self.content is not None:
            return self.content
        return read_bytes(self.path)

    @cached_property
    def lock(self) -> Pylock:
        """The lock. Raises `InvalidFile`, naming the key, for what breaks the specification."""
        return parse(decode_text(self.raw, self.path), self.path)

    def file_uri(self, path: str) -> str:
        """The URL of a file that the lock names by its path."""
        return (self.path.parent / path).resolve().as_uri()


def read(path: Path) -> Pylock:
    """Read and check the file. Raises `InvalidFile`, which names the key that breaks PEP 751."""
    return LockFile(path=path).lock


def parse(text: str, path: Path) -> Pylock:
    """Parse a text that stands, or could stand, in the file `path`.

    Raises `InvalidFile`, naming the key, for what breaks the specification.
    """
    # only a reader of locks needs it
    import tomllib

    try:
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(path, "", f"is not valid TOML: {error}") from error
    except RecursionError as error:
        raise InvalidFile(path, "", "is nested too deeply") from error
    return _validated(content, path)


def dumps(
    *,
    packages: Iterable[Package],
    requires_python: str | None = None,
    environments: Sequence[str] = (),
) -> str:
    """Give the text of a lock of these packages, sorted by name; equal packages give equal bytes.

    requires_python: a specifier, `==3.11.*`. environments: markers of the environments that it is
    for. Raises `InvalidFile` when the packages are not as the specification wants them.
    """
    # only what writes a lock needs these
    import tomli_w
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from envkit.formats.pylock import Pylock

    lock = Pylock(
        lock_version=Version(LOCK_VERSION),
        environments=[Marker(marker) for marker in environments] or None,
        requires_python=None if requires_python is None else SpecifierSet(requires_python),
        created_by=CREATED_BY,
        packages=sorted(map(_with_sorted_wheels, packages), key=_order),
    )
    content = lock.to_dict()
    _validated(content, Path(FILE_NAME))
    return tomli_w.dumps(content)


def _validated(content: Mapping[str, Any], path: Path) -> Pylock:
    from envkit.formats.pylock import Pylock, PylockValidationError

    try:
        return Pylock.from_dict(content)
    except PylockValidationError as error:
        raise InvalidFile(path, error.context or "", f"breaks PEP 751: {error.message}") from error


def _with_sorted_wheels(package: Package) -> Package:
    if not package.wheels:
        return package
    return replace(
        package, wheels=sorted(package.wheels, key=lambda wheel: wheel.url or wheel.path or "")
    )


def _order(package: Package) -> tuple[str, str]:
    return package.name, str(package.version)
