"""`envkit generate-dockerfile`: MLflow's name for `envkit dockerfile`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from envkit.cli import options
from envkit.cli.dockerfile import dockerfile_options, write


@click.command()
@options.model
@click.option(
    "-d",
    "--output-directory",
    "output",
    type=click.Path(path_type=Path),
    default="mlflow-dockerfile",
    show_default=True,
    metavar="DIR",
    help="The folder to write.",
)
@dockerfile_options
@options.verbosity
def command(model_uri: str, output: Path, no_server: bool, **chosen: Any) -> None:
    """Write a Dockerfile for MODEL, as `mlflow models generate-dockerfile` does."""
    write(model_uri, output, server=not no_server, **chosen)
