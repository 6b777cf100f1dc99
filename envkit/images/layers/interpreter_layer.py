"""The layer of the interpreter: the same for all models of one Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envkit.environments.packing import base
from envkit.environments.packing.members import Member
from envkit.images.layers.bytecode import Bytecode, compiled
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer
from envkit.interpreters.interpreter import Interpreter

_LEFT_OUT = re.compile(r".*/(ensurepip/_bundled|pydoc_data)/.+")
_NOT_COMPILED = re.compile(
    r"(distutils|ensurepip|idlelib|lib2to3|pydoc_data|tkinter|turtle|turtledemo|venv)(\..+)?"
    r"|encodings\.(?!aliases$|ascii$|cp437$|idna$|latin_1$|punycode$|utf_\w+$).+"
    r"|_pydecimal|_pyio|antigravity|this"
)
"""What servers and models do not import, or not one in a thousand; it is compiled when it is."""


def interpreter_layer(
    factory: LayerFactory, python: Interpreter, prefix: str, bytecode: Bytecode
) -> CachedLayer:
    """Give the layer with an interpreter and its standard library.

    Raises `BuildFailed` when the interpreter cannot be moved, `OSError`.
    """

    @contextmanager
    def members() -> Iterator[Iterable[Member]]:
        files = list(_files(python))
        if bytecode is Bytecode.NONE:
            yield files
            return
        is_wanted = None if bytecode is Bytecode.ALL else is_common
        with compiled(
            files, prefix, python.executable, python.minor, factory.environ, is_wanted
        ) as compiled_members:
            yield [*files, *compiled_members]

    decisive = {"layer": "interpreter", "python": identity(python), "bytecode": bytecode}
    return factory.cached(f"Python {python.version}", prefix, decisive, members)


def is_common(module: str, _: str) -> bool:
    """Whether servers or models may import a module of the standard library."""
    return _NOT_COMPILED.fullmatch(module) is None


def identity(python: Interpreter) -> dict[str, Any]:
    """Give what distinguishes an interpreter from another, and from itself after an upgrade."""
    status = python.executable.stat()
    return {
        "implementation": python.implementation,
        "version": python.version,
        "abi": python.abi,
        "platform": python.platform,
        "executable": str(python.executable),
        "size": status.st_size,
        "mtime": status.st_mtime_ns,
    }


def _files(python: Interpreter) -> Iterator[Member]:
    # `base` puts what it yields below a folder, which the layer's prefix is here
    described = base.of(Path(python.executable))
    for member in base.members(described, python.minor, "python"):
        if _LEFT_OUT.match(member.name) is None:
            yield Member(
                name=member.name.removeprefix("python/"),
                content=member.content,
                link=member.link,
                executable=member.executable,
            )
