"""`envkit serve MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from envkit.cli import options, progress


@click.command()
@options.optional_model
@click.option("-h", "--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    envvar="SAGEMAKER_BIND_TO_PORT",
    help="The port; 0 chooses a free one.  [default: $SAGEMAKER_BIND_TO_PORT, else 5000]",
)
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The number of processes that load the model.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="The time that a request may wait for a worker, and that the model may then take before "
    "it is stopped.",
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
    help="The number of requests that may wait for a worker.",
)
@click.option("--show-traceback", is_flag=True, help="Also send clients what the model raised.")
@click.option(
    "--environment",
    type=click.Path(path_type=Path),
    envvar="ENVKIT_ENVIRONMENT",
    metavar="DIR",
    help="Serve from this ready environment, as images have it, and build none.",
)
@options.environment
@options.variables
@options.memory_limit
@options.sandbox
@options.verbosity
def command(
    model_uri: str | None, host: str | None, port: int | None, max_body: float, **arguments: Any
) -> None:
    """Serve MODEL over HTTP from its rebuilt environment.

    The endpoints are POST /invocations and GET /ping, /health, /version and /metrics.

    Without MODEL it serves /opt/ml/model on port 8080 of all addresses, as SageMaker starts
    containers. SIGTERM and Ctrl-C let requests at work finish; a second signal stops the server at
    once.
    """
    from envkit.serving.container import address
    from envkit.serving.serve import serve

    model_uri, host, port = address(model_uri, host, port)
    serve(
        model_uri,
        host,
        port,
        max_body=max(1, int(max_body * options.MEGABYTE)),
        **arguments,
        report=progress.report(),
    )
