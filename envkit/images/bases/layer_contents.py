"""Which native libraries a layer of a base image holds, read once and then kept."""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from envkit.errors import InvalidFile, ToolNotFound
from envkit.images import native_libraries
from envkit.images.image import Layer
from envkit.images.layers.layer_cache import Facts, LayerCache

_FOLDERS = ("bin", "lib", "lib32", "lib64", "opt", "usr")


def examine(layer: Layer, cache: LayerCache) -> Facts:
    """Give what a layer holds. Raises `InvalidFile` for a damaged one."""
    decisive = {"contents": layer.blob.descriptor.digest}
    return cache.get(decisive, layer.created_by, lambda: (layer, _examined(layer))).facts


def _examined(layer: Layer) -> dict[str, Any]:
    libraries = native_libraries.Examined()
    path = layer.blob.content
    assert isinstance(path, Path)  # noqa: S101 - layers of bases are kept as files
    try:
        with _opened(path, layer.blob.descriptor.media_type) as archive:
            for entry in archive:
                _take(archive, entry, libraries)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        digest = layer.blob.descriptor.digest
        raise InvalidFile(layer.created_by, digest, f"is a damaged layer: {error}") from error
    facts = libraries.as_json()
    # what a base needs itself is its own affair
    facts["needs"] = {}
    return facts


def _take(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, libraries: native_libraries.Examined
) -> None:
    name = posixpath.normpath(entry.name).lstrip("/")
    base = posixpath.basename(name)
    if name.partition("/")[0] not in _FOLDERS or not (".so" in base or base.startswith("python")):
        return
    if entry.isfile():
        content = archive.extractfile(entry)
        if content is not None:
            libraries.add(name, content.read())
    else:
        libraries.add_link(name)


@contextmanager
def _opened(path: Path, media_type: str) -> Iterator[tarfile.TarFile]:
    with (
        path.open("rb") as file,
        _plain(file, media_type) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        yield archive


@contextmanager
def _plain(file: IO[bytes], media_type: str) -> Iterator[Any]:
    if media_type.endswith("+gzip"):
        with gzip.GzipFile(fileobj=file) as stream:
            yield stream
    elif media_type.endswith("+zstd"):
        try:
            import zstandard  # an optional library
        except ImportError:
            raise ToolNotFound(
                "zstandard", "A layer of the base needs it: install envkit's extra `images`."
            ) from None
        yield zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    else:
        yield file
