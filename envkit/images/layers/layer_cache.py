"""Layers by what they are made of, so that the second image of an environment costs nothing.

<store>/images/layers/<key>.json   digest, size and diff_id of a layer, and facts about it
<store>/images/layers/<key>.lock   held while it is made
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envkit.environments.store import file_locks
from envkit.images.blob_cache import BlobCache
from envkit.images.descriptor import Blob, Descriptor
from envkit.images.image import Layer

FORMAT = 1  # raise it when layers of the same key get another content

Facts = Mapping[str, Any]
Make = Callable[[], tuple[Layer, Facts]]


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedLayer:
    """A layer, and what was found out about it when it was made, as JSON values."""

    layer: Layer
    facts: Facts


@dataclass(frozen=True, slots=True)
class LayerCache:
    """Layers kept in a `BlobCache`. ignore: make each layer again."""

    blobs: BlobCache
    ignore: bool = False

    def get(self, decisive: Mapping[str, Any], created_by: str, make: Make) -> CachedLayer:
        """Give the layer that `decisive` decides; make it unless it is there.

        Raises what `make` raises, `OSError` when the cache cannot be written.
        """
        text = json.dumps({"format": FORMAT, **decisive}, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        folder = self.blobs.folder / "layers"
        record = folder / f"{key}.json"
        cached = None if self.ignore else self._read(record, created_by)
        if cached is not None:
            return cached
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{key}.lock"):
            cached = None if self.ignore else self._read(record, created_by)
            if cached is not None:
                return cached  # another process made it meanwhile
            layer, facts = make()
            self._write(record, layer, facts)
        return CachedLayer(layer=replace(layer, created_by=created_by), facts=facts)

    def _read(self, record: Path, created_by: str) -> CachedLayer | None:
        try:
            content = json.loads(record.read_bytes())
            descriptor = Descriptor.from_json(content["blob"])
            diff_id, facts = str(content["diff_id"]), dict(content["facts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        path = self.blobs.find(descriptor)
        if path is None:
            return None
        layer = Layer(
            blob=Blob(descriptor=descriptor, content=path), diff_id=diff_id, created_by=created_by
        )
        return CachedLayer(layer=layer, facts=facts)

    def _write(self, record: Path, layer: Layer, facts: Facts) -> None:
        content = {
            "blob": layer.blob.descriptor.as_json(),
            "diff_id": layer.diff_id,
            "facts": dict(facts),
        }
        partial = record.with_name(f".{record.name}.{os.getpid()}")
        try:
            partial.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
            partial.replace(record)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = file_locks.exclusive(path, _wait_silently)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def _wait_silently() -> None:
    """Say nothing: the other process does."""
