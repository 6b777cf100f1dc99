"""Push images: only what the registry does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envkit.images import media_types
from envkit.images.descriptor import Blob, Descriptor, json_blob, parse_json
from envkit.images.image import Image, ImageSet
from envkit.images.layout import every_blob
from envkit.images.references import Reference
from envkit.images.registry.connection import repository as connect

if TYPE_CHECKING:
    from envkit.images.registry.repository import Repository

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """digest: of the image or index. objects, size: blobs and manifests sent, in bytes."""

    reference: Reference
    digest: str
    objects: int
    size: int


def push(
    images: ImageSet, reference: Reference, environ: Mapping[str, str], base: str, report: Report
) -> Pushed:
    """Push images and the documents about them.

    Blobs are sent before the manifests that name them, and the tag last, so that an interrupted
    push shows nowhere. base: the reference of the base image, whose blobs a registry can take from
    its own repository.

    Raises `RegistryFailed`, `InvalidFile` for malformed logins.
    """
    target = reference.tagged()
    source = _same_registry(base, target)
    with connect(target, environ, pushes=True) as repository:
        sent = _Sent()
        manifests = {image.manifest.descriptor.digest for image in images.manifests}
        manifests.add(images.root.descriptor.digest)
        for blob in every_blob(images):
            if blob.descriptor.digest not in manifests:
                _push_blob(repository, blob, source, sent, report)
        for image in images.manifests:
            if image.manifest is not images.root:
                repository.push_manifest(image.manifest, image.manifest.descriptor.digest)
                sent.add(image.manifest)
        repository.push_manifest(images.root, target.tag)
        sent.add(images.root)
        _list_referrers(repository, images.referrers)
    return Pushed(
        reference=target,
        digest=images.root.descriptor.digest,
        objects=sent.objects,
        size=sent.size,
    )


class _Sent:
    def __init__(self) -> None:
        self.objects = self.size = 0

    def add(self, blob: Blob) -> None:
        self.objects += 1
        self.size += blob.descriptor.size


def _push_blob(
    repository: Repository, blob: Blob, source: str, sent: _Sent, report: Report
) -> None:
    if repository.has(blob.descriptor):
        return
    report(f"Pushing {blob.descriptor.size / 1e6:.1f} MB to {repository.name}")
    if repository.push_blob(blob, mount_from=source):
        sent.add(blob)


def _same_registry(base: str, target: Reference) -> str:
    """Give the base's repository when it is another one of the same registry, else nothing."""
    registry, _, rest = base.partition("/")
    repository = rest.partition("@")[0].partition(":")[0]
    if registry != target.registry or repository == target.repository:
        return ""
    return repository


def _list_referrers(repository: Repository, referrers: Sequence[Image]) -> None:
    """Keep the list of referrers under a tag where the registry keeps none itself.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema
    """
    by_subject: dict[str, list[Descriptor]] = {}
    for image in referrers:
        subject = parse_json(image.manifest.read())["subject"]["digest"]
        by_subject.setdefault(subject, []).append(image.manifest.descriptor)
    for subject, descriptors in by_subject.items():
        if repository.lists_referrers(subject):
            continue
        tag = subject.replace(":", "-")
        listed = {descriptor.digest: descriptor.as_json() for descriptor in descriptors}
        if (before := repository.find_manifest(tag)) is not None:
            for entry in parse_json(before.read()).get("manifests", ()):
                listed.setdefault(entry["digest"], entry)
        index = json_blob(
            media_types.INDEX,
            {
                "schemaVersion": 2,
                "mediaType": media_types.INDEX,
                "manifests": sorted(listed.values(), key=lambda entry: str(entry["digest"])),
            },
        )
        repository.push_manifest(index, tag)
