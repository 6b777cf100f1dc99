"""The layers of a model's packages, and of their bytecode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.packing import virtual
from envkit.environments.packing.members import Member
from envkit.images import places
from envkit.images.layers.bytecode import Bytecode, compiled
from envkit.images.layers.conda_files import conda_files
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.interpreter_layer import is_common
from envkit.images.layers.layer_cache import CachedLayer
from envkit.interpreters.interpreter import Interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyEnvironment:
    """An environment to put into an image. used: modules that its model imports, if known."""

    environment: Environment
    interpreter: Interpreter
    used: frozenset[str] | None

    @property
    def has_interpreter(self) -> bool:
        """Whether the interpreter is part of the environment, as conda's is."""
        return self.environment.manager is EnvType.CONDA

    @contextmanager
    def files(self) -> Iterator[Iterable[Member]]:
        """Give the files, without an interpreter that is not part of the environment."""
        if self.has_interpreter:
            with conda_files(self.environment.path) as members:
                yield members
        else:
            yield virtual.members(self.environment.path, self.interpreter.minor)

    def is_used(self, module: str, path: str) -> bool:
        """Whether the model or the server imports a module."""
        if "/site-packages/" not in path:
            return is_common(module, path)
        return self.used is None or module in self.used


def packages_layer(factory: LayerFactory, ready: ReadyEnvironment) -> CachedLayer:
    """Give the layer with the packages. Raises `OSError`; `BuildFailed` if it cannot be moved."""
    decisive = {"layer": "packages", "key": ready.environment.key}
    created_by = f"packages of {ready.environment.path.name}"
    return factory.cached(created_by, places.ENVIRONMENT, decisive, ready.files)


def bytecode_layer(
    factory: LayerFactory, ready: ReadyEnvironment, bytecode: Bytecode
) -> CachedLayer | None:
    """Give the layer with bytecode of the packages; None when there is none.

    Raises `BuildFailed`, `OSError`.
    """
    if bytecode is Bytecode.NONE:
        return None
    is_partial = bytecode is Bytecode.USED and ready.used is not None

    @contextmanager
    def members() -> Iterator[Iterable[Member]]:
        with (
            ready.files() as files,
            compiled(
                files,
                places.ENVIRONMENT,
                ready.environment.python,
                ready.interpreter.minor,
                factory.environ,
                ready.is_used if is_partial else None,
            ) as compiled_members,
        ):
            yield compiled_members

    decisive = {
        "layer": "bytecode",
        "key": ready.environment.key,
        "modules": sorted(ready.used or ()) if is_partial else None,
    }
    return factory.cached(f"bytecode, {bytecode}", places.ENVIRONMENT, decisive, members)
