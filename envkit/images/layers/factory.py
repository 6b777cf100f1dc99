"""Make layers that are kept for the next image, with what was found out about their libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.environments.packing import elf
from envkit.environments.packing.members import Member
from envkit.images import native_libraries
from envkit.images.image import Layer
from envkit.images.layers.layer_cache import CachedLayer, Facts, LayerCache
from envkit.images.layers.layer_file import Compression, LayerWriter, new_layer

Members = Callable[[], AbstractContextManager[Iterable[Member]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerFactory:
    """What all layers of an image have in common. time: of their files, seconds since 1970."""

    cache: LayerCache
    compression: Compression
    time: int
    environ: Mapping[str, str]

    def cached(
        self, created_by: str, prefix: str, decisive: Mapping[str, Any], members: Members
    ) -> CachedLayer:
        """Give the layer that `decisive` decides; `members` is opened when it must be made."""
        whole = {
            **decisive,
            "prefix": prefix,
            "compression": self.compression,
            "time": self.time,
        }

        def make() -> tuple[Layer, Facts]:
            with members() as opened:
                made = self.new(created_by, prefix, opened)
            return made.layer, made.facts

        return self.cache.get(whole, created_by, make)

    def new(self, created_by: str, prefix: str, members: Iterable[Member]) -> CachedLayer:
        """Make a layer."""
        libraries = native_libraries.Examined()
        with new_layer(self.cache.blobs, self.compression, created_by, self.time) as (
            writer,
            result,
        ):
            for member in members:
                _add(writer, member, prefix, libraries)
        return CachedLayer(layer=result[0], facts=libraries.as_json())


def _add(
    writer: LayerWriter, member: Member, prefix: str, libraries: native_libraries.Examined
) -> None:
    name = f"{prefix}/{member.name}"
    if member.link:
        libraries.add_link(name)
    elif not isinstance(member.content, Path) or elf.is_elf(member.content):
        libraries.add(name, member.data)
    writer.add(member, prefix)
