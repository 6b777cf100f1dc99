"""The base of an image by its name:

debian, debian:SUITE                a few Debian packages, put together by mmdebstrap
none                                nothing: for `COPY --from`, or as a volume of models
oci:FOLDER[:TAG]                    an image layout
FILE.tar, docker-archive:FILE       what `docker save` or `podman save` wrote
REFERENCE                           an image of a registry
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from envkit.images import references
from envkit.images.bases import debian
from envkit.images.bases.debian import DebianBase
from envkit.images.bases.image_source import ImageSource, read_base
from envkit.images.bases.layer_contents import examine
from envkit.images.docker_archive import ArchiveSource
from envkit.images.image import BaseImage
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import Facts
from envkit.images.layout import LayoutSource
from envkit.images.platforms import Platform

DEBIAN, NONE = "debian", "none"
_LAYOUT, _ARCHIVE = "oci:", "docker-archive:"


def open_base(
    name: str,
    platform: Platform,
    packages: tuple[str, ...],
    factory: LayerFactory,
    report: Callable[[str], None],
) -> tuple[BaseImage, list[Facts]]:
    """Give a base, and what its layers hold of native libraries.

    packages: Debian packages that the model needs; only a Debian base gets them. Raises
    `InvalidArgument`, `InvalidFile`, `NoSuchPlatform`, `ToolNotFound`, `BuildFailed`, and
    `ImageNotFound` or `RegistryFailed` for an image of a registry.
    """
    if name == NONE:
        return BaseImage(), []
    if is_debian(name):
        suite = name.partition(":")[2] or debian.suite_of_host()
        debian.check(suite)
        chosen = DebianBase(suite=suite, platform=platform, packages=packages)
        base, facts = debian.build(
            chosen, factory.cache, factory.compression, factory.time, factory.environ, report
        )
        return base, [facts]
    with image_source(name, factory.environ) as source:
        base = read_base(source, platform, factory.cache.blobs, report)
    return base, [examine(layer, factory.cache) for layer in base.layers]


def is_debian(name: str) -> bool:
    """Whether a name means a base that mmdebstrap makes, and not an image of that name."""
    return name == DEBIAN or name.startswith(f"{DEBIAN}:")


def image_source(name: str, environ: Mapping[str, str]) -> AbstractContextManager[ImageSource]:
    """Give the place of an image. Raises `InvalidArgument`, `InvalidFile` for malformed logins."""
    if name.startswith(_LAYOUT):
        return nullcontext(_layout(name.removeprefix(_LAYOUT)))
    if name.startswith(_ARCHIVE) or name.endswith(".tar"):
        return nullcontext(ArchiveSource(Path(name.removeprefix(_ARCHIVE)).absolute()))
    reference = references.parse(name)
    # HTTP is only needed here, and an optional library
    from envkit.images.registry.connection import repository

    return repository(reference, environ)


def _layout(text: str) -> LayoutSource:
    """Read `FOLDER` or `FOLDER:TAG`; folders may have colons, too."""
    if Path(text).is_dir():
        return LayoutSource(Path(text).absolute())
    folder, _, tag = text.rpartition(":")
    return LayoutSource(Path(folder or text).absolute(), tag if folder else "")
