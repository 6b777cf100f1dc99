"""Content that images share, kept in the environment store by digest.

<store>/images/blobs/<hex>         content: layers of bases, layers that envkit made
<store>/images/layers/<key>.json   which blob a layer is (see `layers.layer_cache`)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import BuildFailed
from envkit.images.descriptor import Descriptor

PIECE = 1 << 20


class ContentDiffers(ValueError):
    """Content has another size or digest than its descriptor says."""


@dataclass(frozen=True, slots=True)
class BlobCache:
    """Blobs in a folder, which need not exist."""

    folder: Path

    def path(self, digest: str) -> Path:
        """Where the blob of a digest is, or would be."""
        return self.folder / "blobs" / digest.removeprefix("sha256:")

    def find(self, descriptor: Descriptor) -> Path | None:
        """Give the file of a blob; None when it is not here, or was cut off."""
        path = self.path(descriptor.digest)
        with suppress(OSError):
            if path.stat().st_size == descriptor.size:
                os.utime(path)  # the time of the last use decides what `remove_unused` removes
                return path
        return None

    def add(self, descriptor: Descriptor, pieces: Iterable[bytes]) -> Path:
        """Keep content that comes in pieces.

        Raises `ContentDiffers` when it does not match its descriptor, `OSError` when it cannot be
        written; then nothing is kept.
        """
        with self.new_file() as path:
            write_verified(path, descriptor, pieces)
            return self.adopt(path, descriptor.digest)

    def adopt(self, path: Path, digest: str) -> Path:
        """Keep a file of `new_file` under its digest."""
        target = self.path(digest)
        path.replace(target)
        return target

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """Give the path of a file to be made, which is gone at the end unless it was adopted."""
        folder = self.folder / "blobs"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=folder)
        os.close(descriptor)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def write_verified(path: Path, descriptor: Descriptor, pieces: Iterable[bytes]) -> None:
    """Write content and compare it with its descriptor. Raises `ContentDiffers`, `OSError`."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > descriptor.size:
                raise ContentDiffers(f"has more than the {descriptor.size} bytes it should have")
            digest.update(piece)
            file.write(piece)
    if size != descriptor.size:
        raise ContentDiffers(f"has {size} bytes and should have {descriptor.size}")
    if f"sha256:{digest.hexdigest()}" != descriptor.digest:
        raise ContentDiffers("has another digest")


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield the content of a file. Raises `OSError`."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def copy_blob(source: bytes | Path, target: Path) -> None:
    """Write a blob to a new file, whole or not at all. Raises `OSError`."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if isinstance(source, Path):
            shutil.copyfile(source, partial)
        else:
            partial.write_bytes(source)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def writing_to(where: Path | str) -> Iterator[None]:
    """Raise `BuildFailed` for an `OSError`, such as a full disk."""
    try:
        yield
    except OSError as error:
        problem = error.strerror or str(error)
        raise BuildFailed(f"write the image to {where}", f"{problem}.") from error
