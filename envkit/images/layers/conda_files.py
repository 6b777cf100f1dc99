"""The files of a conda environment for the place that it has in images.

conda writes the environment's own path into files, so they are rewritten on a copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envkit.environments.packing import conda
from envkit.environments.packing.members import Member, of_file
from envkit.errors import BuildFailed
from envkit.images import places
from envkit.inside.programs import relocation

_UNPACKING = {"bin/conda-unpack", "conda-meta/relocation.py"}  # only archives need it


@contextmanager
def conda_files(environment: Path) -> Iterator[list[Member]]:
    """Give the files, which can be read as long as the context lasts.

    Raises `BuildFailed` when conda left no room for the path, `OSError`.
    """
    with tempfile.TemporaryDirectory(prefix="envkit-") as name:
        folder = Path(name)
        for member in conda.members(environment):
            if member.name not in _UNPACKING:
                _write(folder / member.name, member)
        try:
            relocation.relocate(folder, Path(f"/{places.ENVIRONMENT}"))
        except relocation.TooLong as error:
            raise BuildFailed(f"put {environment} into an image", str(error)) from error
        yield list(_read(folder))


def _write(path: Path, member: Member) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.link:
        path.symlink_to(member.link)
        return
    if isinstance(member.content, Path):
        shutil.copyfile(member.content, path)
    else:
        path.write_bytes(member.data)
    path.chmod(0o755 if member.executable else 0o644)


def _read(folder: Path) -> Iterator[Member]:
    for parent, folders, names in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(set(folders) - set(linked))
        for name in sorted([*names, *linked]):
            path = Path(parent, name)
            inner = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield Member(name=inner, link=str(path.readlink()))
            else:
                yield of_file(path, inner)
