"""Read a base image from a registry, a layout or an archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from envkit.errors import InvalidFile, InvalidInput
from envkit.images import media_types
from envkit.images.blob_cache import BlobCache, ContentDiffers, writing_to
from envkit.images.descriptor import Blob, Descriptor, descriptors, digest_of, parse_json
from envkit.images.image import BaseImage, Layer
from envkit.images.platforms import Platform

Report = Callable[[str], None]


class ImageSource(Protocol):
    """A place that holds an image, or an index of images."""

    @property
    def name(self) -> str:
        """What people call the image."""

    def root(self) -> Blob:
        """Give the manifest or index."""

    def document(self, descriptor: Descriptor) -> Blob:
        """Give a manifest or a configuration."""

    def pieces(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a layer."""


class NoSuchPlatform(InvalidInput):
    """A base image does not exist for the platform."""

    def __init__(self, name: str, platform: str, known: tuple[str, ...]) -> None:
        super().__init__(name, platform, known)
        self.name, self.platform, self.known = name, platform, known

    def __str__(self) -> str:
        known = ", ".join(self.known) or "no platform of Linux"
        return (
            f"The base image {self.name} is for {known}, not for {self.platform}. "
            "Name another with `--base`, or another `--platform`."
        )


def read_base(
    source: ImageSource, platform: Platform, cache: BlobCache, report: Report
) -> BaseImage:
    """Fetch the image of a platform; its layers are kept in the cache.

    Raises `NoSuchPlatform`, `InvalidFile` for what is not an image, `BuildFailed` when the cache
    cannot be written, and what the source raises.
    """
    manifest = _manifest_for(source, platform)
    document = _parsed(source, manifest)
    try:
        config_descriptor = Descriptor.from_json(document.get("config"))
        listed = descriptors(document.get("layers"))
        config = _checked(source.document(config_descriptor), config_descriptor)
        configuration = parse_json(config)
        diff_ids = configuration["rootfs"]["diff_ids"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidFile(source.name, "", f"is not a valid image: {error}") from error
    if not platform.matches(configuration):
        raise NoSuchPlatform(source.name, str(platform), (_shown(configuration),))
    if not isinstance(diff_ids, list) or len(diff_ids) != len(listed):
        raise InvalidFile(source.name, "", "is not a valid image: its layers are not all listed")
    layers = [
        _layer(source, descriptor, str(diff_id), cache, report)
        for descriptor, diff_id in zip(listed, diff_ids, strict=True)
    ]
    return BaseImage(
        layers=tuple(layers),
        configuration=configuration,
        name=source.name,
        digest=manifest.descriptor.digest,
    )


def _manifest_for(source: ImageSource, platform: Platform) -> Blob:
    root = source.root()
    document = _parsed(source, root)
    if root.descriptor.media_type not in media_types.INDEXES and "manifests" not in document:
        return root
    try:
        entries = descriptors(document.get("manifests"))
    except ValueError as error:
        raise InvalidFile(source.name, "", f"is not a valid index of images: {error}") from error
    for entry in entries:
        if platform.matches(entry.platform):
            return source.document(entry)
    known = {_shown(entry.platform) for entry in entries if entry.platform.get("os") == "linux"}
    raise NoSuchPlatform(source.name, str(platform), tuple(sorted(known)))


def _shown(described: Any) -> str:
    return f"{described.get('os', '?')}/{described.get('architecture', '?')}"


def _parsed(source: ImageSource, blob: Blob) -> dict[str, Any]:
    content = _checked(blob, blob.descriptor)
    try:
        return parse_json(content)
    except (ValueError, json.JSONDecodeError) as error:
        raise InvalidFile(source.name, "", f"is not a valid manifest: {error}") from error


def _checked(blob: Blob, descriptor: Descriptor) -> bytes:
    content = blob.read()
    if digest_of(content) != descriptor.digest:
        raise ValueError(f"{descriptor.digest} has other content than its digest says")
    return content


def _layer(
    source: ImageSource, descriptor: Descriptor, diff_id: str, cache: BlobCache, report: Report
) -> Layer:
    media_type = media_types.oci_layer(descriptor.media_type)
    if media_type is None:
        problem = f"has a layer of type {descriptor.media_type!r}, which envkit cannot copy"
        raise InvalidFile(source.name, "", problem)
    path = cache.find(descriptor)
    if path is None:
        report(f"Fetching {descriptor.size / 1e6:.0f} MB of {source.name}")
        try:
            with writing_to(cache.folder):
                path = cache.add(descriptor, source.pieces(descriptor))
        except ContentDiffers as error:
            problem = f"the layer {descriptor.digest} {error}"
            raise InvalidFile(source.name, "", problem, "It is damaged.") from error
    plain = Descriptor(media_type=media_type, digest=descriptor.digest, size=descriptor.size)
    return Layer(
        blob=Blob(descriptor=plain, content=path),
        diff_id=diff_id,
        created_by=source.name,
    )
