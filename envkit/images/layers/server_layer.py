"""The layer of the server: the same for all models of one minor version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from envkit.environments.packing.members import Member
from envkit.images import places
from envkit.images.layers import server_files
from envkit.images.layers.bytecode import Bytecode, compiled
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer


def server_layer(
    factory: LayerFactory, python: Path, minor: str, bytecode: Bytecode
) -> CachedLayer:
    """Give the layer with envkit's runtime, compiled by a Python of the version that will run it.

    Raises `ToolNotFound` when the extra `serve` is not installed, `OSError`.
    """
    files = list(server_files.members())

    @contextmanager
    def members() -> Iterator[Iterable[Member]]:
        if bytecode is Bytecode.NONE:
            yield files
            return
        with compiled(files, places.SERVER, python, minor, factory.environ) as compiled_members:
            yield [*files, *compiled_members]

    decisive = {
        "layer": "server",
        "files": _digest(files),
        "minor": minor,
        "compiled": bytecode is not Bytecode.NONE,
    }
    return factory.cached("envkit serve", places.SERVER, decisive, members)


def _digest(files: Iterable[Member]) -> str:
    total = hashlib.sha256()
    for member in files:
        content = hashlib.sha256(member.data).hexdigest()
        total.update(f"{member.name}\0{member.executable}\0{content}\n".encode())
    return total.hexdigest()
