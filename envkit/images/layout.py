"""OCI image layouts: folders of images that every tool reads.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile
from envkit.images import media_types
from envkit.images.blob_cache import copy_blob, writing_to
from envkit.images.descriptor import Blob, Descriptor, descriptors, parse_json
from envkit.images.image import ImageSet

MARKER = "oci-layout"
MARKER_CONTENT = b'{"imageLayoutVersion":"1.0.0"}'
INDEX = "index.json"
TAG = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"  # what `docker load` and containerd call the image
LARGEST_DOCUMENT = 4_000_000  # bytes of a manifest, as registries limit it

Json = Mapping[str, Any]


def is_layout(folder: Path) -> bool:
    """Whether a folder is an image layout."""
    return (folder / MARKER).is_file() and (folder / INDEX).is_file()


def write(folder: Path, images: ImageSet, tag: str, full_name: str = "") -> None:
    """Write images into a folder: a new one, or a layout that there is, where the tag is replaced.

    Raises `InvalidArgument` for a folder with anything else, `BuildFailed` when it cannot be
    written; then what was there before is unchanged.
    """
    with writing_to(folder):
        if is_layout(folder):
            _add(folder, images, tag, full_name)
            return
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidArgument(
                f"{folder} is not empty and not an image layout. Name a new folder."
            )
        _create(folder, images, tag, full_name)


def _create(folder: Path, images: ImageSet, tag: str, full_name: str) -> None:
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        (partial / "blobs" / "sha256").mkdir(parents=True)
        (partial / MARKER).write_bytes(MARKER_CONTENT)
        (partial / INDEX).write_bytes(index_document([], images, tag, full_name))
        for blob in every_blob(images):
            copy_blob(blob.content, blob_path(partial, blob.descriptor.digest))
        if folder.exists():
            folder.rmdir()
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _add(folder: Path, images: ImageSet, tag: str, full_name: str) -> None:
    before = _read_index(folder)
    kept = [entry for entry in before.get("manifests", ()) if not _is_replaced(entry, images, tag)]
    added: list[Path] = []
    try:
        for blob in every_blob(images):
            path = blob_path(folder, blob.descriptor.digest)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                copy_blob(blob.content, path)
                added.append(path)
        copy_blob(index_document(kept, images, tag, full_name), folder / INDEX)
    except BaseException:
        for path in added:
            path.unlink(missing_ok=True)
        raise


def _is_replaced(entry: object, images: ImageSet, tag: str) -> bool:
    """Whether an entry has the tag, or is an untagged one that is written again."""
    if not isinstance(entry, dict):
        return True
    name = (entry.get("annotations") or {}).get(TAG)
    new = {image.manifest.descriptor.digest for image in images.referrers}
    return name == tag or (name is None and entry.get("digest") in new)


def every_blob(images: ImageSet) -> Iterator[Blob]:
    """Yield each blob once, contents before the manifests that name them."""
    seen: set[str] = set()
    ordered = [
        *(blob for image in images.manifests for blob in image.blobs),
        *(image.manifest for image in images.manifests),
        images.root,
    ]
    for blob in ordered:
        if blob.descriptor.digest not in seen:
            seen.add(blob.descriptor.digest)
            yield blob


def index_document(kept: Sequence[Json], images: ImageSet, tag: str, full_name: str) -> bytes:
    """Give the content of `index.json`: other images first, then these."""
    names = {TAG: tag}
    if full_name:
        names[FULL_NAME] = full_name
    root = replace(images.root.descriptor, annotations=names)
    value = {
        "schemaVersion": 2,
        "mediaType": media_types.INDEX,
        "manifests": [
            *kept,
            root.as_json(),
            *(image.manifest.descriptor.as_json() for image in images.referrers),
        ],
    }
    return json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"


def blob_path(folder: Path, digest: str) -> Path:
    """Where the blob of a digest is."""
    return folder / "blobs" / "sha256" / digest.removeprefix("sha256:")


def _read_index(folder: Path) -> dict[str, Any]:
    with reading(folder / INDEX):
        return parse_json((folder / INDEX).read_bytes())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise `InvalidFile` for what is not an image."""
    try:
        yield
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise InvalidFile(path, "", f"is not a valid image: {error}") from error


@dataclass(frozen=True, slots=True)
class LayoutSource:
    """A layout to read, see `bases.image_source.ImageSource`. tag: empty for the only image."""

    folder: Path
    tag: str = ""

    @property
    def name(self) -> str:
        """See `ImageSource`."""
        return f"oci:{self.folder}" + (f":{self.tag}" if self.tag else "")

    def root(self) -> Blob:
        """See `ImageSource`. Raises `InvalidFile`, `InvalidArgument` for an unknown tag."""
        if not is_layout(self.folder):
            raise InvalidFile(self.folder, "", "is not an OCI image layout")
        index = _read_index(self.folder)
        with reading(self.folder / INDEX):
            entries = descriptors(index.get("manifests"))
        return self.document(self._chosen(entries))

    def _chosen(self, entries: Sequence[Descriptor]) -> Descriptor:
        tagged = [entry for entry in entries if TAG in entry.annotations] or list(entries)
        if self.tag:
            tagged = [entry for entry in tagged if entry.annotations.get(TAG) == self.tag]
        if len(tagged) == 1:
            return tagged[0]
        known = ", ".join(sorted(entry.annotations.get(TAG, "") for entry in entries))
        raise InvalidArgument(
            f"{self.name} does not name one image. The layout's tags: {known or '(none)'}. "
            f"Write `oci:{self.folder}:TAG`."
        )

    def document(self, descriptor: Descriptor) -> Blob:
        """See `ImageSource`. Raises `InvalidFile`."""
        path = blob_path(self.folder, descriptor.digest)
        with reading(path):
            if path.stat().st_size > LARGEST_DOCUMENT:
                raise ValueError("is too large")
            return Blob(descriptor=descriptor, content=path.read_bytes())

    def pieces(self, descriptor: Descriptor) -> Iterator[bytes]:
        """See `ImageSource`. Raises `InvalidFile`."""
        path = blob_path(self.folder, descriptor.digest)
        with reading(path), path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
