"""What of envkit and the model goes into an image for one platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
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
    in_use = store.use(environment.path)  # keeps it from being removed meanwhile
    try:
        python = _interpreter_of(environment, spec, choice, store)
        ready = ReadyEnvironment(environment=environment, interpreter=python, used=used)
        layers, launch = _layers(ready, options, factory, store, report)
    finally:
        if in_use is not None:
            os.close(in_use)
    return Contents(
        layers=tuple(layers),
        launch=launch,
        key=environment.key,
        python=python.version,
        notes=environment.notes,
    )


def _interpreter_of(
    environment: Environment, spec: EnvironmentSpec, choice: EnvironmentChoice, store: Store
) -> Interpreter:
    if choice.manager is not EnvType.CONDA:
        return plan_environment(spec, choice, store).interpreter
    python = KnownInterpreters(store.interpreters_file).identify(environment.python)
    if python is None:
        raise BuildFailed(f"start {environment.python}", "It is not a working Python interpreter.")
    return python


def _layers(
    ready: ReadyEnvironment,
    options: ImageOptions,
    factory: LayerFactory,
    store: Store,
    report: Report,
) -> tuple[list[CachedLayer], Launch]:
    python = ready.interpreter
    report(f"Collecting Python {python.version}, the server and the packages")
    layers: list[CachedLayer] = []
    home = places.ENVIRONMENT
    if not ready.has_interpreter:
        home = places.INTERPRETER
        layers.append(interpreter_layer(factory, python, home, options.bytecode))
    server_python = ""
    if options.server:
        runner = python
        if not _runs_envkit(python):
            runner, home = _own_interpreter(store), places.SERVER_INTERPRETER
            layers.append(interpreter_layer(factory, runner, home, options.bytecode))
        layers.append(server_layer(factory, runner.executable, runner.minor, options.bytecode))
        server_python = f"/{home}/bin/python{runner.minor}"
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
