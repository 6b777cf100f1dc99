"""The folder of the store, whose environments and models are run: nobody else may write to it.

Refused are a folder that belongs to neither this user nor root, one that others can write to, and
one that is reached through a symbolic link which others could replace. One that root made may be
used by everybody who can read it, and a read-only mount whatever its mode.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from envkit.errors import UnsafeStore

VARIABLE = "ENVKIT_HOME"
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40


def real_path(argument: Path | None, environ: Mapping[str, str]) -> str:
    """Return the store's real path: the argument, else ENVKIT_HOME, else the user's cache folder.

    The folder need not exist. Raises `UnsafeStore`.
    """
    chosen = Path(_chosen(argument, environ)).absolute()
    real = os.path.realpath(chosen)
    if real != str(chosen):
        _refuse_replaceable_links(chosen)
    _refuse_others(real)
    return real


def create(root: Path) -> None:
    """Make the folder, if it does not exist, for this user alone. Raises `OSError`."""
    missing = []
    folder = root
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            # the umask may have taken rights from the owner, too
            folder.chmod(0o700)


def is_trusted(status: os.stat_result) -> bool:
    """Whether a file belongs to this user or to root."""
    return status.st_uid in (os.geteuid(), 0)


def _chosen(argument: Path | None, environ: Mapping[str, str]) -> Path | str:
    if argument is not None:
        return argument
    if environ.get(VARIABLE):
        return environ[VARIABLE]
    # 5 ms
    import platformdirs

    return platformdirs.user_cache_path("envkit")


def _refuse_others(root: str) -> None:
    try:
        status = os.stat(root)  # noqa: PTH116 - at every use
    except OSError:
        # it will be made, or its use says what is wrong
        return
    _refuse_owner_and_mode(root, status)
    is_private = not status.st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if is_private or not stat.S_ISDIR(status.st_mode):
        return
    for entry in _entries(root):
        with suppress(FileNotFoundError):
            _refuse_owner_and_mode(entry.path, entry.stat())


def _refuse_owner_and_mode(path: str, status: os.stat_result) -> None:
    if not is_trusted(status):
        raise UnsafeStore(
            path,
            f"belongs to another user (id {status.st_uid})",
            f"Remove it, or choose another folder ({VARIABLE}).",
        )
    if status.st_mode & _OF_OTHERS and not _is_read_only(path):
        raise UnsafeStore(
            path,
            f"can be written to by other users (mode {stat.S_IMODE(status.st_mode):04o})",
            f"If they are trusted with what it holds: `chmod -R go-w {path}`. "
            f"Otherwise remove it, or choose another folder ({VARIABLE}).",
        )


def _is_read_only(path: str) -> bool:
    """Whether the file system is mounted for reading only, where rights to write have no effect."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _entries(root: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(root) as entries:
        yield from entries


def _refuse_replaceable_links(path: Path) -> None:
    """Refuse a path with a symbolic link, at its end or on the way, that others could replace."""
    # one that leads in a circle ends where the system gives up
    for _ in range(_MOST_LINKS):
        places = (*reversed(path.parents), path)
        link = next((place for place in places if place.is_symlink()), None)
        if link is None:
            return
        if link.parent.stat().st_mode & _OF_OTHERS:
            raise UnsafeStore(
                str(link),
                f"is a symbolic link in {link.parent}, where other users can write",
                f"Name the folder itself in {VARIABLE}: {os.path.realpath(path)}.",
            )
        path = link.parent / link.readlink() / path.relative_to(link)
