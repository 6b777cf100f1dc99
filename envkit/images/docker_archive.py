"""Images as one tar: for `docker load` and `podman load`, and to read bases from.

It is an OCI layout in a tar, with the `manifest.json` of `docker save` for engines before
Docker 25.
https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md#combined-image-json--filesystem-changeset-format
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from envkit.errors import InvalidArgument
from envkit.images import layout, media_types
from envkit.images.blob_cache import PIECE, writing_to
from envkit.images.descriptor import (
    Blob,
    Descriptor,
    bytes_blob,
    descriptors,
    json_blob,
    parse_json,
)
from envkit.images.image import ImageSet
from envkit.images.layout import reading

MANIFEST = "manifest.json"
_EPOCH = 315532800  # 1980, as in all archives of envkit
_NAME = "name"  # annotation of blobs that old archives do not name by digest


def write(path: Path, images: ImageSet, tag: str, full_name: str) -> None:
    """Write images into a tar, which is replaced.

    Raises `BuildFailed` when it cannot be written; then nothing is left.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with writing_to(path):
        try:
            with tarfile.open(partial, "x", format=tarfile.PAX_FORMAT) as archive:
                _write_members(archive, images, tag, full_name)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _write_members(archive: tarfile.TarFile, images: ImageSet, tag: str, full_name: str) -> None:
    for blob in layout.every_blob(images):
        name = _member_of(blob.descriptor.digest)
        if isinstance(blob.content, Path):
            with blob.content.open("rb") as content:
                _write_member(archive, name, content, blob.descriptor.size)
        else:
            _write_bytes(archive, name, blob.content)
    _write_bytes(archive, MANIFEST, _manifest(images, full_name))
    _write_bytes(archive, layout.INDEX, layout.index_document([], images, tag, full_name))
    _write_bytes(archive, layout.MARKER, layout.MARKER_CONTENT)


def _manifest(images: ImageSet, full_name: str) -> bytes:
    """Name the first image only: this format knows no platforms."""
    config, *layers = images.images[0].blobs
    entry = {
        "Config": _member_of(config.descriptor.digest),
        "RepoTags": [full_name] if full_name else None,
        "Layers": [_member_of(layer.descriptor.digest) for layer in layers],
    }
    return json.dumps([entry]).encode()


def _member_of(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _write_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _write_member(archive, name, io.BytesIO(content), len(content))


def _write_member(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = size, _EPOCH
    archive.addfile(member, content)


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A tar of `docker save`, `podman save` or `build-image`, with one image.

    See `bases.image_source.ImageSource`.
    """

    path: Path

    @property
    def name(self) -> str:
        """See `ImageSource`."""
        return str(self.path)

    def root(self) -> Blob:
        """See `ImageSource`. Raises `InvalidFile`, `InvalidArgument` for several images."""
        with self._open() as archive:
            names = set(archive.getnames())
            if layout.INDEX in names:
                return self._root_of_layout(archive)
            if MANIFEST in names:
                return self._root_of_docker(archive)
            raise ValueError(f"has neither {layout.INDEX} nor {MANIFEST}")

    def document(self, descriptor: Descriptor) -> Blob:
        """See `ImageSource`. Raises `InvalidFile`."""
        with self._open() as archive:
            return bytes_blob(descriptor.media_type, _read(archive, _name_in_archive(descriptor)))

    def pieces(self, descriptor: Descriptor) -> Iterator[bytes]:
        """See `ImageSource`. Raises `InvalidFile`."""
        with self._open() as archive:
            content = _member(archive, _name_in_archive(descriptor))
            while piece := content.read(PIECE):
                yield piece

    def _root_of_layout(self, archive: tarfile.TarFile) -> Blob:
        index = parse_json(_read(archive, layout.INDEX))
        entries = descriptors(index.get("manifests"))
        tagged = [entry for entry in entries if layout.TAG in entry.annotations] or entries
        if len({entry.digest for entry in tagged}) != 1:
            raise InvalidArgument(f"{self.path} holds {len(tagged)} images. Name one with one.")
        content = _read(archive, _member_of(tagged[0].digest))
        return Blob(descriptor=tagged[0], content=content)

    def _root_of_docker(self, archive: tarfile.TarFile) -> Blob:
        """Make the manifest that an old `docker save` lacks; its layers are tars as they are."""
        listed = json.loads(_read(archive, MANIFEST))
        if not isinstance(listed, list) or len(listed) != 1:
            raise ValueError(f"{MANIFEST} does not name one image")
        name = str(listed[0]["Config"])
        config = bytes_blob(
            media_types.CONFIGURATION, _read(archive, name), annotations={_NAME: name}
        )
        layers = [_layer(archive, str(name)) for name in listed[0]["Layers"]]
        return json_blob(
            media_types.MANIFEST,
            {
                "schemaVersion": 2,
                "mediaType": media_types.MANIFEST,
                "config": config.descriptor.as_json(),
                "layers": [layer.as_json() for layer in layers],
            },
        )

    @contextmanager
    def _open(self) -> Iterator[tarfile.TarFile]:
        with reading(self.path):
            try:
                with tarfile.open(self.path) as archive:
                    yield archive
            except (tarfile.TarError, KeyError, TypeError, EOFError) as error:
                raise ValueError(str(error)) from error


def _name_in_archive(descriptor: Descriptor) -> str:
    return descriptor.annotations.get(_NAME) or _member_of(descriptor.digest)


def _layer(archive: tarfile.TarFile, name: str) -> Descriptor:
    content = _member(archive, name)
    digest, size, begin = hashlib.sha256(), 0, b""
    while piece := content.read(PIECE):
        begin = begin or piece[:4]
        digest.update(piece)
        size += len(piece)
    return Descriptor(
        media_type=media_types.LAYER + _suffix(begin),
        digest=f"sha256:{digest.hexdigest()}",
        size=size,
        annotations={_NAME: name},
    )


def _suffix(begin: bytes) -> str:
    if begin[:2] == b"\x1f\x8b":
        return "+gzip"
    if begin == b"\x28\xb5\x2f\xfd":
        return "+zstd"
    return ""


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    content: IO[bytes] | None = None
    with suppress(KeyError):
        content = archive.extractfile(name)  # follows the links of old archives
    if content is None:
        raise ValueError(f"has no {name}")
    return content


def _read(archive: tarfile.TarFile, name: str) -> Any:
    content = _member(archive, name).read(layout.LARGEST_DOCUMENT + 1)
    if len(content) > layout.LARGEST_DOCUMENT:
        raise ValueError(f"{name} is too large")
    return content
