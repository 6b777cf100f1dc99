"""What of the file system a sandbox shows: everything, read-only, but for the places where users keep what is theirs.

Home folders, temporary folders and `/run` (sockets of other programs) are replaced by empty ones.
What the model needs of them is put back at its own path, with the symbolic links that lead there.
"""

from __future__ import annotations

import os
import pwd
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PRIVATE = ("/home", "/root", "/tmp", "/var/tmp", "/run", "/etc/ssh", "/etc/ssl/private")  # noqa: S108
SECRET_FILES = (
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/krb5.keytab",
)
_LONGEST_CHAIN = 40  # of symbolic links, as Linux has it
_OF_A_PREFIX = ("bin", "lib", "lib32", "lib64", "libexec", "include")


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What is where: `hidden` folders are empty at first, `links` and `shown` are then put into them."""

    hidden: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    shown: tuple[Path, ...]


def view(environ: Mapping[str, str], needed: Iterable[Path]) -> View:
    """Work out how the paths `needed` stay visible while private places are hidden.

    A path that does not exist is left out, and so is one that would lay a private place open again.
    """
    private = _private(environ)
    hidden = _outermost(private)
    wanted = [path for path in dict.fromkeys(needed) if os.path.lexists(path)]
    real = [each for path in wanted if not any(_opened(each := path.resolve(), private))]
    shown = _outermost(path for path in real if _is_below(path, hidden))
    found = {link for path in wanted for link in _links(path)}
    links = (each for each in found if _is_below(each[0], hidden) and not _is_below(each[0], shown))
    return View(hidden=hidden, links=tuple(sorted(links)), shown=shown)


def lays_open(path: Path, environ: Mapping[str, str]) -> Path | None:
    """Give the private place that would be laid open if `path` were shown; None when it may be."""
    return next(_opened(path.resolve(), _private(environ)), None)


def of_prefix(prefix: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Give what to show of an environment or an interpreter's installation: all, unless it is a place for other things.

    `pip install --user` and hand-made installations have `~/.local` or the home itself for their
    prefix.
    """
    if prefix.name == ".local" or lays_open(prefix, environ):
        return tuple(prefix / name for name in _OF_A_PREFIX)
    return (prefix,)


def _private(environ: Mapping[str, str]) -> tuple[Path, ...]:
    places = [*PRIVATE, environ.get("HOME", "")]
    with suppress(KeyError):  # a container may run under a number that has no name
        places.append(pwd.getpwuid(os.getuid()).pw_dir)
    real = (Path(each).resolve() for each in places if each.startswith("/"))
    return tuple(each for each in dict.fromkeys(real) if each.is_dir() and each != Path("/"))


def _opened(path: Path, private: Iterable[Path]) -> Iterator[Path]:
    """Yield the private places that lie in `path` or are it."""
    return (each for each in private if each.is_relative_to(path))


def _is_below(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(each) for each in places)


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths that lie in none of the others, sorted."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not _is_below(path, kept):
            kept.append(path)
    return tuple(kept)


def _links(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every symbolic link on the way to what a path leads to, as (where it is, what it says)."""
    current, left = Path("/"), deque(path.absolute().parts[1:])
    followed = 0
    while left and followed < _LONGEST_CHAIN:
        part = left.popleft()
        current = current.parent if part == ".." else current / part
        if current.is_symlink():
            followed += 1
            target = os.readlink(current)  # noqa: PTH115 - as it is written
            yield current, target
            if target.startswith("/"):
                current = Path("/")
            else:
                current = current.parent
            left.extendleft(reversed([each for each in Path(target).parts if each != "/"]))
