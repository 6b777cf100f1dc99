"""What a sandbox shows of the file system: all of it, read-only, except private places.

Home folders, temporary folders and `/run` (sockets of other programs) are replaced by empty ones.
What the model needs of them is put back at its own path, with the symbolic links that lead there.
"""

from __future__ import annotations

import os
import pwd
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envkit.child.variables import Variables

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
    """What a sandbox shows: first empty `hidden` folders, then `links` and `shown` in them."""

    hidden: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    shown: tuple[Path, ...]


def view(environ: Variables, needed: Iterable[Path]) -> View:
    """Work out how the paths `needed` stay visible while private places are hidden.

    A path that does not exist is left out, and so is one that would expose a private place.
    """
    private = _private(environ)
    hidden = _outermost(private)
    paths = [path for path in dict.fromkeys(needed) if os.path.lexists(path)]
    targets = [path.resolve() for path in paths]
    safe = [target for target in targets if not any(_exposed(target, private))]
    shown = _outermost(target for target in safe if _is_below(target, hidden))
    links = {link for path in paths for link in _links(path)}
    put_back = [
        link for link in links if _is_below(link[0], hidden) and not _is_below(link[0], shown)
    ]
    return View(hidden=hidden, links=tuple(sorted(put_back)), shown=shown)


def is_visible(path: Path, environ: Variables, needed: Iterable[Path]) -> bool:
    """Whether a sandbox that keeps the paths `needed` visible shows a path, with links resolved."""
    seen = view(environ, needed)
    target = path.resolve()
    return not _is_below(target, seen.hidden) or _is_below(target, seen.shown)


def exposed_place(path: Path, environ: Variables) -> Path | None:
    """Return the private place that showing `path` would expose; None when it is safe."""
    return next(_exposed(path.resolve(), _private(environ)), None)


def of_prefix(prefix: Path, environ: Variables) -> tuple[Path, ...]:
    """Return what to show of an environment or of an interpreter's installation.

    That is all of it, unless the prefix holds other things too: `pip install --user` and hand-made
    installations have `~/.local` or the home itself for their prefix.
    """
    if prefix.name == ".local" or exposed_place(prefix, environ):
        return tuple(prefix / name for name in _OF_A_PREFIX)
    return (prefix,)


def lies_in(path: Path, places: Iterable[Path]) -> bool:
    """Whether a path is one of the places or lies below one, with links resolved."""
    real = path.resolve()
    return any(real.is_relative_to(place.resolve()) for place in places)


def _private(environ: Variables) -> tuple[Path, ...]:
    places = [*PRIVATE, environ.get("HOME", "")]
    # a container may run under a number that has no name
    with suppress(KeyError):
        places.append(pwd.getpwuid(os.getuid()).pw_dir)
    resolved = (Path(place).resolve() for place in places if place.startswith("/"))
    return tuple(
        place for place in dict.fromkeys(resolved) if place.is_dir() and place != Path("/")
    )


def _exposed(path: Path, private: Iterable[Path]) -> Iterator[Path]:
    """Yield the private places that lie in `path` or are it."""
    return (place for place in private if place.is_relative_to(path))


def _is_below(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the paths that lie in none of the others, sorted."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not _is_below(path, kept):
            kept.append(path)
    return tuple(kept)


def _links(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every symbolic link on the way to what a path leads to: where it is, and its text."""
    current, parts = Path("/"), deque(path.absolute().parts[1:])
    followed = 0
    while parts and followed < _LONGEST_CHAIN:
        part = parts.popleft()
        if part == "..":
            current = current.parent
        else:
            current = current / part
        if not current.is_symlink():
            continue
        followed += 1
        target = os.readlink(current)  # noqa: PTH115 - as it is written
        yield current, target
        if target.startswith("/"):
            current = Path("/")
        else:
            current = current.parent
        names = [name for name in Path(target).parts if name != "/"]
        parts.extendleft(reversed(names))
