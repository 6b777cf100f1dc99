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
    help="The file for the answer.  [default: standard output]",
)
@click.option(
    "-t",
    "--content-type",
    type=click.Choice(["json", "csv", "parquet"]),
    default="json",
    show_default=True,
    help="The format of the input.",
)
@options.environment
@options.variables
@options.timeout
@options.memory_limit
@options.sandbox
@options.verbosity
def command(
    model_uri: str, input_path: Path | None, output_path: Path | None, **arguments: Any
) -> None:
    """Predict with MODEL in its rebuilt environment and print {"predictions": ...}.

    The input is JSON with one of the keys dataframe_split, dataframe_records, instances, inputs
    (and params), CSV with a header line, or Parquet. The environment is built unless it exists.
    """
    from envkit.environments.reproduction import predict

    input_data = None
    if input_path is None or str(input_path) == "-":
        if sys.stdin is None:
            # Python sets it to None where the descriptor is closed, as cron and daemons do.
            raise click.UsageError("Standard input is closed. Name an input file with `-i`.")
        input_path = None
        input_data = sys.stdin.buffer.read()
    predictions = predict(
        model_uri,
        input_data=input_data,
        input_path=input_path,
        output_path=output_path,
        **arguments,
        report=progress.report(),
    )
    if output_path is None:
        click.echo(json.dumps({"predictions": predictions}, ensure_ascii=False))
