"""`envkit serve MODEL`."""

from __future__ import annotations

from typing import Any

import click

from envkit.cli import options, progress

MEGABYTE = 1_000_000


@click.command()
@options.model_if_named
@click.option("-h", "--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    envvar="SAGEMAKER_BIND_TO_PORT",
    help="The port; 0 takes a free one.  [default: $SAGEMAKER_BIND_TO_PORT, else 5000]",
)
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that load the model.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a request may wait for a worker, and the model may then take before it is stopped.",
)
@click.option(
    "--max-body",
    type=click.FloatRange(min=0, min_open=True),
    default=100.0,
    show_default=True,
    metavar="MB",
    help="The largest request.",
)
@click.option(
    "--queue",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Requests that may wait for a worker.",
)
@click.option("--show-traceback", is_flag=True, help="Tell clients, too, what the model raised.")
@options.environment
@options.variables
@options.memory
@options.sandbox
@options.output
def command(
    model_uri: str | None,
    host: str | None,
    port: int | None,
    workers: int,
    timeout: float,
    max_body: float,
    queue: int,
    show_traceback: bool,
    variables: dict[str, str],
    memory_limit: int | None,
    sandbox: str | None,
    **how: Any,
) -> None:
    """Serve MODEL over HTTP from its rebuilt environment: POST /invocations, GET /ping, /health, /version, /metrics.

    Without MODEL: /opt/ml/model on port 8080 of all addresses, as SageMaker starts containers.
    SIGTERM and Ctrl-C let requests at work finish; a second one ends all at once.
    """
    from envkit.serving.container import address
    from envkit.serving.serve import serve

    named, chosen_host, chosen_port = address(model_uri, host, port)
    report = progress.report()
    serve(
        named,
        chosen_host,
        chosen_port,
        workers,
        timeout,
        max_body=max(1, int(max_body * MEGABYTE)),
        queue=queue,
        show_traceback=show_traceback,
        **how,
        extra_envs=variables,
        memory_bytes=memory_limit * MEGABYTE if memory_limit else None,
        sandbox=sandbox,
        report=report,
    )
