"""The layers of a model's packages, and of their bytecode."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from envkit.environments.environment import Environment
from envkit.environments.packing import virtual
from envkit.environments.packing.members import Member
from envkit.images import places
from envkit.images.layers.bytecode import Bytecode, compiled
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer
from envkit.interpreters.interpreter import Interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyEnvironment:
    """An environment to put into an image. used: modules that its model imports, if that is known."""

    environment: Environment
    interpreter: Interpreter
    used: frozenset[str] | None

    def files(self) -> Iterator[Member]:
        """Yield the files of the environment, without its interpreter."""
        return virtual.members(self.environment.path, self.interpreter.minor)


def packages_layer(factory: LayerFactory, ready: ReadyEnvironment) -> CachedLayer:
    """Give the layer with the packages. Raises `BuildFailed` for what cannot be moved, `OSError`."""

    @contextmanager
    def members() -> Iterator[Iterable[Member]]:
        yield ready.files()

    decisive = {"layer": "packages", "key": ready.environment.key}
    created_by = f"packages of {ready.environment.path.name}"
    return factory.cached(created_by, places.ENVIRONMENT, decisive, members)


def bytecode_layer(
    factory: LayerFactory, ready: ReadyEnvironment, bytecode: Bytecode
) -> CachedLayer | None:
    """Give the layer with bytecode of the packages; None when there is none.

    Raises `BuildFailed`, `OSError`.
    """
    if bytecode is Bytecode.NONE:
        return None
    used: Collection[str] | None = ready.used if bytecode is Bytecode.USED else None

    @contextmanager
    def members() -> Iterator[Iterable[Member]]:
        with compiled(
            ready.files(),
            places.ENVIRONMENT,
            ready.environment.python,
            ready.interpreter.minor,
            factory.environ,
            used,
        ) as compiled_members:
            yield compiled_members

    decisive = {
        "layer": "bytecode",
        "key": ready.environment.key,
        "modules": None if used is None else sorted(used),
    }
    return factory.cached(f"bytecode, {bytecode}", places.ENVIRONMENT, decisive, members)
