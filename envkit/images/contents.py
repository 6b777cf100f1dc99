"""What of envkit and the model goes into an image for one platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.planning import plan_environment
from envkit.environments.prepare import prepare
from envkit.environments.store.store import Store
from envkit.errors import BuildFailed, InvalidArgument
from envkit.images import places
from envkit.images.layers.environment_layers import (
    ReadyEnvironment,
    bytecode_layer,
    packages_layer,
)
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.interpreter_layer import interpreter_layer
from envkit.images.layers.layer_cache import CachedLayer
from envkit.images.layers.server_files import OLDEST_PYTHON
from envkit.images.layers.server_layer import server_layer
from envkit.images.options import ImageOptions
from envkit.images.runtime_settings import Launch
from envkit.interpreters.interpreter import Interpreter, numbers_of
from envkit.interpreters.known_interpreters import KnownInterpreters
from envkit.models.environment_spec import EnvironmentSpec

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """Layers above the base and below the model. key: of the environment."""

    layers: tuple[CachedLayer, ...]
    launch: Launch
    key: str
    python: str
    notes: tuple[str, ...]


def build_contents(
    spec: EnvironmentSpec,
    choice: EnvironmentChoice,
    options: ImageOptions,
    used: frozenset[str] | None,
    factory: LayerFactory,
    store: Store,
    report: Report,
) -> Contents:
    """Build the environment unless it is there, and make its layers unless they are there.

    Raises what `prepare` raises, and `BuildFailed` for an interpreter that cannot be moved.
    """
    if choice.manager is EnvType.LOCAL:
        raise InvalidArgument(
            "A local environment cannot be put into an image; use one that uv, virtualenv or "
            "conda builds."
        )
    environment = prepare(spec, choice, report=report)
    planned = plan_environment(spec, choice, store)
    in_use = store.use(environment.path)  # keeps it from being removed meanwhile
    try:
        ready = ReadyEnvironment(
            environment=environment, interpreter=planned.interpreter, used=used
        )
        layers, launch = _layers(ready, options, factory, store, report)
    finally:
        if in_use is not None:
            os.close(in_use)
    return Contents(
        layers=tuple(layers),
        launch=launch,
        key=environment.key,
        python=planned.interpreter.version,
        notes=tuple(dict.fromkeys((*environment.notes, *planned.notes))),
    )


def _layers(
    ready: ReadyEnvironment,
    options: ImageOptions,
    factory: LayerFactory,
    store: Store,
    report: Report,
) -> tuple[list[CachedLayer], Launch]:
    python = ready.interpreter
    report(f"Collecting Python {python.version}, the server and the packages")
    layers = [interpreter_layer(factory, python, places.INTERPRETER, options.bytecode)]
    server_python = ""
    if options.server:
        server_python = f"/{places.INTERPRETER}/bin/python{python.minor}"
        compiler = python
        if not _runs_envkit(python):
            compiler = _own_interpreter(store)
            layers.append(
                interpreter_layer(factory, compiler, places.SERVER_INTERPRETER, options.bytecode)
            )
            server_python = f"/{places.SERVER_INTERPRETER}/bin/python{compiler.minor}"
        layers.append(server_layer(factory, compiler.executable, compiler.minor, options.bytecode))
    layers.append(packages_layer(factory, ready))
    bytecode = bytecode_layer(factory, ready, options.bytecode)
    if bytecode is not None:
        layers.append(bytecode)
    return layers, Launch(server_python=server_python)


def _runs_envkit(python: Interpreter) -> bool:
    return python.implementation == "cpython" and numbers_of(python.minor) >= OLDEST_PYTHON


def _own_interpreter(store: Store) -> Interpreter:
    """Give the Python that runs envkit, for a model whose own is too old for it."""
    own = KnownInterpreters(store.interpreters_file).identify(Path(sys.executable))
    if own is None:
        raise BuildFailed(
            "put the server into the image", f"{sys.executable} cannot be identified."
        )
    return own
