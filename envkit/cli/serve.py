"""`envkit serve MODEL`."""

from __future__ import annotations

import os
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
    "--limit-concurrency",
    type=click.IntRange(min=1),
    metavar="N",
    help="The largest number of connections, and of requests at once; more get 503.",
)
@click.option(
    "--api-key",
    envvar="ENVKIT_API_KEY",
    metavar="KEY",
    help="What clients must send to get an answer; better in $ENVKIT_API_KEY, which other users "
    "do not see.",
)
@click.option(
    "--allowed-hosts",
    metavar="HOST,…",
    default="",
    help="The hosts that clients may name, as `*.example.org`.  [default: all]",
)
@click.option(
    "--ssl-certfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Serve over TLS with this certificate chain (PEM).",
)
@click.option(
    "--ssl-keyfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key of the certificate, if it is in another file.",
)
@click.option(
    "--uds",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Listen on this UNIX socket instead of a port.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve /metrics on this port instead.",
)
@click.option("--access-log", is_flag=True, help="Log each request on standard error.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the server logs; json is one object a line.",
)
@click.option("--docs", is_flag=True, help="Serve /docs, a page on which people can try the model.")
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
    model_uri: str | None,
    host: str | None,
    port: int | None,
    max_body: float,
    allowed_hosts: str,
    **arguments: Any,
) -> None:
    """Serve MODEL over HTTP from its rebuilt environment.

    The endpoints are POST /invocations and GET /ping, /health, /livez, /readyz, /version,
    /metrics and /openapi.json.

    Without MODEL it serves /opt/ml/model on port 8080 of all addresses, as SageMaker starts
    containers. SIGTERM and Ctrl-C let requests at work finish; a second signal stops the server at
    once.
    """
    from envkit.serving.container import address
    from envkit.serving.serve import serve

    # An empty key, as of a secret that is not there, must not open the server to everyone.
    # The model, which gets the other variables, has no use for it.
    key = os.environ.pop("ENVKIT_API_KEY", None)
    if arguments["api_key"] is None:
        arguments["api_key"] = key
    hosts = [host.strip() for host in allowed_hosts.split(",")] if allowed_hosts else []
    model_uri, host, port = address(model_uri, host, port)
    serve(
        model_uri,
        host,
        port,
        max_body=max(1, int(max_body * options.MEGABYTE)),
        allowed_hosts=hosts,
        **arguments,
        report=progress.report(),
    )
