"""`envkit predict MODEL`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from envkit.cli import options, progress


@click.command()
@options.model
@click.option(
    "-i",
    "--input-path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The input.  [default: standard input]",
)
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the answer goes.  [default: standard output]",
)
@click.option(
    "-t",
    "--content-type",
    type=click.Choice(["json", "csv", "parquet"]),
    default="json",
    show_default=True,
    help="Of the input.",
)
@options.environment
@options.variables
@options.timeout
@options.memory
@options.sandbox
@options.output
def command(
    model_uri: str,
    input_path: Path | None,
    output_path: Path | None,
    content_type: str,
    variables: dict[str, str],
    timeout: float | None,
    memory_limit: int | None,
    sandbox: str | None,
    **how: Any,
) -> None:
    """Predict with MODEL in its rebuilt environment and print {"predictions": ...}.

    The input is JSON with one of the keys dataframe_split, dataframe_records, instances, inputs
    (and params), CSV with a header line, or Parquet. The environment is built when it is not there
    yet.
    """
    from envkit.environments.reproduction import predict

    piped = input_path is None or str(input_path) == "-"
    predictions = predict(
        model_uri,
        input_data=sys.stdin.buffer.read() if piped else None,
        input_path=None if piped else input_path,
        content_type=content_type,
        output_path=output_path,
        **how,
        extra_envs=variables,
        timeout=timeout,
        memory_bytes=memory_limit * 1_000_000 if memory_limit else None,
        sandbox=sandbox,
        report=progress.report(),
    )
    if output_path is None:
        click.echo(json.dumps({"predictions": predictions}, ensure_ascii=False))
