"""`serve` of the Python API: a model served over HTTP from its rebuilt environment."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from envkit.child import variables as variables_of
from envkit.child.sandbox import SandboxOption, confinement
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.ready_folder import open_folder
from envkit.environments.reproduction import prepare_model
from envkit.environments.store.in_use import occupied
from envkit.environments.workers import Workplace
from envkit.errors import InvalidArgument, ToolNotFound
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.serving import listening, openapi
from envkit.serving.options import HOST, MAX_BODY, PORT, QUEUE, TIMEOUT, LogFormat, ServerOptions
from envkit.serving.server_log import ServerLog

if TYPE_CHECKING:
    from envkit.serving.server import Address, ModelServer


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
    limit_concurrency: int | None = None,
    api_key: str | None = None,
    allowed_hosts: Sequence[str] = (),
    ssl_certfile: str | Path | None = None,
    ssl_keyfile: str | Path | None = None,
    uds: str | Path | None = None,
    metrics_port: int | None = None,
    access_log: bool = False,
    log_format: LogFormat = "text",
    docs: bool = False,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    extra_envs: Mapping[str, str] | None = None,
    memory_bytes: int | None = None,
    sandbox: SandboxOption = None,
    environment: str | Path | None = None,
    report: Callable[[str], None] | None = None,
) -> ModelServer:
    """Serve a model over HTTP from its rebuilt environment.

    The environment is built unless it is in the store already. Problems while the server runs are
    logged as warnings of the logger `envkit`.

    Args:
        model_uri: The model: a path or a URI.
        host: The address to listen on.
        port: The port; 0 chooses a free one.
        workers: The number of processes that load the model; each answers one request at a time.
        timeout: The seconds that a request may wait for a worker, and that the model may then take
            before it is stopped.
        env_manager: What builds the environment: `uv`, `virtualenv`, `conda`, or `local` for none.
        synchronous: Whether to serve until a signal: SIGTERM and SIGHUP stop gracefully, and so
            does SIGINT, which then raises `KeyboardInterrupt`; a second signal stops at once.
            Otherwise the model is served in a thread.
        max_body: The largest body of a request, in bytes.
        queue: The number of requests that may wait for a worker.
        show_traceback: Whether clients see what the model raised.
        limit_concurrency: The largest number of connections, and of requests at once; more get 503.
        api_key: What clients must send, as `Authorization: Bearer KEY` or `X-API-Key: KEY`;
            anyone may ask without it.
        allowed_hosts: The hosts that clients may name in the Host header; `*.example.org` stands
            for subdomains; by default all.
        ssl_certfile: The certificate chain for TLS, as PEM.
        ssl_keyfile: Its key, unless it is in the same file.
        uds: The path of a UNIX socket to listen on instead of a port.
        metrics_port: A port of their own for the metrics, at the same host.
        access_log: Whether each request is logged on standard error.
        log_format: `text`, or `json` for one object a line on standard error.
        docs: Whether to serve the page `/docs`, on which people can try the model.
        allow_source: Whether source distributions may be built, which runs their code.
        pip_requirements_override: Requirements that replace the model's of the same names.
        python: The interpreter of the environment; by default one of the model's version.
        python_policy: Which other versions of Python may replace the model's.
        conda_exe: The program that builds conda environments.
        extra_envs: Environment variables for the model, in addition to the caller's.
        memory_bytes: The largest address space of each worker, in bytes.
        sandbox: Whether and how the model is confined.
        environment: The folder of a ready environment, as images have it; nothing is then built,
            and neither the environment store nor an index is used.
        report: Called with a line of text when something begins that takes time.

    Returns:
        The server. In a thread it has loaded the model and has `url`, `stop()` and `wait()`; as a
        context manager it stops at the end of the block.

    Raises:
        InvalidArgument: An argument is unknown, or the certificate cannot be used.
        AddressUnavailable: The port or socket cannot be listened on.
        ToolNotFound: The extra `serve` is not installed.
        PredictionFailed: The model cannot be loaded.
        EnvkitError: The environment cannot be built, as for `prepare_env`.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    if environment is not None and choice != EnvironmentChoice():
        raise InvalidArgument(
            "`environment` names a ready environment; omit what says how to build one."
        )
    options = ServerOptions(
        workers=workers,
        timeout=timeout,
        max_body=max_body,
        queue=queue,
        show_traceback=show_traceback,
        limit_concurrency=limit_concurrency,
        api_key=api_key,
        allowed_hosts=tuple(allowed_hosts),
        access_log=access_log,
        log_format=log_format,
        docs=docs,
    )
    certificate = _path(ssl_certfile)
    key = _path(ssl_keyfile)
    if certificate is not None:
        listening.check_certificate(certificate, key)
    elif key is not None:
        raise InvalidArgument("A key needs its certificate: name it with `--ssl-certfile`.")
    server_type, address_type = _import_server()
    if synchronous and _is_in_event_loop():
        raise InvalidArgument(
            "An event loop is running, as in a notebook: serve with `synchronous=False`."
        )
    variables_of.check(extra_envs or {})
    model = ModelDirectory.open(model_uri)
    with ExitStack() as undo:
        # Early, because building the environment may take minutes.
        bound = _bind(host, port, _path(uds), undo)
        metrics = None
        if metrics_port is not None:
            metrics = undo.enter_context(listening.bind(host, metrics_port))
        log = ServerLog(options, report)
        confined = confinement(sandbox, report)
        if environment is not None:
            ready = open_folder(environment)
        else:
            ready = prepare_model(model, choice, report)
        workplace = Workplace(
            environment=ready,
            request=model.request(),
            variables=extra_envs or {},
            memory_bytes=memory_bytes,
            confinement=confined,
            descriptors=undo.enter_context(occupied(ready)),
        )
        address = address_type(bound=bound, certificate=certificate, key=key, metrics=metrics)
        server = server_type(address, workplace, options, log, openapi.document(model))
        server.on_end(undo.pop_all().close)
    if synchronous:
        server.run()
        return server
    return server.start()


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _bind(host: str, port: int, uds: Path | None, undo: ExitStack) -> socket.socket:
    """Bind the socket that was named; `undo` closes it. Raises `AddressUnavailable`."""
    if uds is None:
        return undo.enter_context(listening.bind(host, port))
    bound = listening.bind_unix(uds)
    undo.callback(listening.remove_unix, bound, uds)
    return bound


def _import_server() -> tuple[type[ModelServer], type[Address]]:
    """Import what needs the libraries of the extra `serve`. Raises `ToolNotFound`."""
    try:
        from envkit.serving.server import Address, ModelServer
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            str(error.name), "Serving needs it: `pip install 'envkit[serve]'`."
        ) from error
    return ModelServer, Address


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
