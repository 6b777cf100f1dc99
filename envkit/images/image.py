"""Images as values: layers, a manifest, and what one name stands for.

https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envkit.images import media_types
from envkit.images.descriptor import Blob, Descriptor, json_blob
from envkit.images.platforms import Platform


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A layer as it is stored. diff_id: digest of the tar inside. created_by: for the history."""

    blob: Blob
    diff_id: str
    created_by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseImage:
    """What an image is built on.

    name, digest: of the image, empty without one. configuration: its whole configuration document.
    """

    layers: tuple[Layer, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A manifest and the blobs that it names: for an image its configuration and layers."""

    manifest: Blob
    blobs: tuple[Blob, ...]

    @property
    def size(self) -> int:
        """Compressed bytes of everything."""
        return self.manifest.descriptor.size + sum(blob.descriptor.size for blob in self.blobs)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSet:
    """What one name stands for.

    root: the manifest of the only image, or an index of several. referrers: documents about them.
    """

    root: Blob
    images: tuple[Image, ...]
    referrers: tuple[Image, ...] = ()

    @property
    def manifests(self) -> Iterator[Image]:
        """All manifests below the root, images first."""
        yield from self.images
        yield from self.referrers

    @property
    def is_index(self) -> bool:
        """Whether the root is an index."""
        return self.root.descriptor.media_type == media_types.INDEX


def assemble(
    base: BaseImage,
    layers: Sequence[Layer],
    platform: Platform,
    runtime: Mapping[str, Any],
    *,
    annotations: Mapping[str, str],
    created: str,
) -> Image:
    """Put layers on a base.

    runtime: the `config` of the configuration document (user, entrypoint, variables, …); it
    replaces the base's, apart from variables, which are merged. created: RFC 3339.
    """
    configuration = _configuration(base, layers, platform, runtime, created)
    config = json_blob(media_types.CONFIGURATION, configuration)
    every_layer = (*base.layers, *layers)
    manifest = json_blob(
        media_types.MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": media_types.MANIFEST,
            "config": config.descriptor.as_json(),
            "layers": [layer.blob.descriptor.as_json() for layer in every_layer],
            "annotations": dict(annotations),
        },
        platform=platform.as_json(),
    )
    return Image(manifest=manifest, blobs=(config, *(layer.blob for layer in every_layer)))


def image_set(
    images: Sequence[Image], annotations: Mapping[str, str], referrers: Sequence[Image] = ()
) -> ImageSet:
    """Give one image as it is, several as an index."""
    if len(images) == 1:
        return ImageSet(root=images[0].manifest, images=tuple(images), referrers=tuple(referrers))
    root = json_blob(
        media_types.INDEX,
        {
            "schemaVersion": 2,
            "mediaType": media_types.INDEX,
            "manifests": [image.manifest.descriptor.as_json() for image in images],
            "annotations": dict(annotations),
        },
    )
    return ImageSet(root=root, images=tuple(images), referrers=tuple(referrers))


def artifact(
    subject: Descriptor, artifact_type: str, document: Blob, annotations: Mapping[str, str]
) -> Image:
    """Make the manifest of a document about an image, which registries list as its referrer."""
    empty = json_blob(media_types.EMPTY, {})
    manifest = json_blob(
        media_types.MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": media_types.MANIFEST,
            "artifactType": artifact_type,
            "config": empty.descriptor.as_json(),
            "layers": [document.descriptor.as_json()],
            "subject": {
                "mediaType": subject.media_type,
                "digest": subject.digest,
                "size": subject.size,
            },
            "annotations": dict(annotations),
        },
        artifact_type=artifact_type,
        annotations=dict(annotations),
    )
    return Image(manifest=manifest, blobs=(empty, document))


def _configuration(
    base: BaseImage,
    layers: Sequence[Layer],
    platform: Platform,
    runtime: Mapping[str, Any],
    created: str,
) -> dict[str, Any]:
    history = [
        {"created": created, "created_by": layer.created_by, "comment": "envkit"}
        for layer in layers
    ]
    diff_ids = [layer.diff_id for layer in (*base.layers, *layers)]
    return {
        **platform.as_json(),
        "created": created,
        "config": {**runtime, "Env": _merged_variables(base, runtime)},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [*_history_of(base), *history],
    }


def _history_of(base: BaseImage) -> list[Any]:
    """Give one entry a layer at least: engines match entries and layers by their order."""
    listed = base.configuration.get("history")
    entries = listed if isinstance(listed, list) else []
    filled = [entry for entry in entries if isinstance(entry, dict)]
    with_layers = [entry for entry in filled if not entry.get("empty_layer")]
    if len(with_layers) == len(base.layers):
        return filled
    return [{"created_by": layer.created_by or base.name} for layer in base.layers]


def _merged_variables(base: BaseImage, runtime: Mapping[str, Any]) -> list[str]:
    of_base = base.configuration.get("config") or {}
    variables = {}
    for assignment in (*(of_base.get("Env") or ()), *runtime.get("Env", ())):
        variables[str(assignment).partition("=")[0]] = str(assignment)
    return list(variables.values())
