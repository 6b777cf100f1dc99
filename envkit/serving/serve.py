"""Serve a model over HTTP from its rebuilt environment: `serve` of the Python API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from envkit.child import variables as variables_of
from envkit.child.sandbox import Wish, confinement
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.reproduction import prepare_model
from envkit.environments.store.in_use import occupied
from envkit.environments.workers import Workplace
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.serving.options import HOST, MAX_BODY, PORT, QUEUE, TIMEOUT, Settings

if TYPE_CHECKING:
    from envkit.serving.server import Serving

# where SageMaker puts a model, and what it expects of one that is served:
CONTAINER_MODEL = Path("/opt/ml/model")
CONTAINER_HOST, CONTAINER_PORT = "0.0.0.0", 8080  # noqa: S104 - a container is reached from outside


def serve(
    model_uri: str | Path,
    host: str = HOST,
    port: int = PORT,
    workers: int = 1,
    timeout: float = TIMEOUT,
    env_manager: EnvType | str = EnvType.UV,
    *,
    synchronous: bool = True,
    max_body: int = MAX_BODY,
    queue: int = QUEUE,
    show_traceback: bool = False,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    extra_envs: Mapping[str, str] | None = None,
    memory_bytes: int | None = None,
    sandbox: Wish = None,
    report: Callable[[str], None] | None = None,
) -> Serving:
    """Serve a model over HTTP from its rebuilt environment, which is built when it is not there.

    synchronous: serve until a signal ends it: SIGTERM gracefully, and SIGINT, which then raises
    `KeyboardInterrupt`; a second one at once. Otherwise it serves in a thread, and what is
    returned, once the model is loaded, has `url`, `stop()`, `wait()`, and ends it as a context
    manager. port: 0 takes a free one.

    workers: processes that load the model; each answers one request at a time. timeout: seconds
    that a request may wait for a worker, and that the model may then take before it is stopped.
    max_body: bytes of a request. queue: requests that may wait for a worker. show_traceback: tell
    clients what the model raised. memory_bytes: address space for each worker. report: called with
    a line of text as things go on. What goes wrong while it serves is logged as a warning of the
    logger `envkit`. The rest is as for `predict`.

    Raises what `prepare_env` raises, `ToolNotFound` when the extra `serve` is not installed,
    `InvalidArgument` when the address cannot be taken, `PredictionFailed` when the model cannot be
    loaded.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    settings = Settings(
        workers=workers,
        timeout=timeout,
        max_body=max_body,
        queue=queue,
        show_traceback=show_traceback,
    )
    server = _server()
    if synchronous and _is_in_a_loop():
        raise InvalidArgument(
            "An event loop runs here already, as in a notebook: serve with synchronous=False."
        )
    variables_of.check(extra_envs or {})
    model = ModelDirectory.open(model_uri)
    with ExitStack() as undo:
        taken = undo.enter_context(server.bound(host, port))  # early: building may take minutes
        confined = confinement(sandbox, report)
        environment = prepare_model(model, choice, report)
        workplace = Workplace(
            environment=environment,
            request=model.request(),
            variables=extra_envs or {},
            memory_bytes=memory_bytes,
            confinement=confined,
            descriptors=undo.enter_context(occupied(environment)),
        )
        logger = logging.getLogger("envkit")
        serving: Serving = server.Serving(
            taken, workplace, settings, logger.warning, report or logger.info
        )
        serving.on_end(undo.pop_all().close)
    if synchronous:
        serving.run()
        return serving
    return serving.start()


def address(model_uri: str | None, host: str | None, port: int | None) -> tuple[str, str, int]:
    """Give model, host and port where not all are named. No model: SageMaker's contract for containers.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html

    Raises `InvalidArgument` when none is named and none lies where SageMaker puts it.
    """
    if model_uri is not None:
        return model_uri, host or HOST, PORT if port is None else port
    if not CONTAINER_MODEL.is_dir():
        raise InvalidArgument(
            f"Name the model: as MODEL or with -m/--model-uri (there is none in {CONTAINER_MODEL})."
        )
    return str(CONTAINER_MODEL), host or CONTAINER_HOST, CONTAINER_PORT if port is None else port


def _server() -> ModuleType:
    """Import what needs the libraries of HTTP. Raises `ToolNotFound`."""
    try:
        return import_module("envkit.serving.server")
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            str(error.name), "Serving needs it: `pip install 'envkit[serve]'`."
        ) from error


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
