"""Media types of images.

https://github.com/opencontainers/image-spec/blob/v1.1.0/media-types.md
"""

from __future__ import annotations

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"

INDEXES = (INDEX, DOCKER_INDEX)
MANIFESTS = (MANIFEST, DOCKER_MANIFEST)

_OCI_LAYERS = {
    DOCKER_LAYER: LAYER,
    f"{DOCKER_LAYER}.gzip": f"{LAYER}+gzip",
    f"{DOCKER_LAYER}.zstd": f"{LAYER}+zstd",
    LAYER: LAYER,
    f"{LAYER}+gzip": f"{LAYER}+gzip",
    f"{LAYER}+zstd": f"{LAYER}+zstd",
}


def oci_layer(media_type: str) -> str | None:
    """Give the OCI name of a layer's media type; None for a layer that may not be copied."""
    return _OCI_LAYERS.get(media_type)
