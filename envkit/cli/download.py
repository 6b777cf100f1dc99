"""`envkit download MODEL`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from envkit.cli import options


@click.command()
@options.model
@click.option(
    "-o",
    "--output-path",
    "output_path",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder in which MODEL gets a folder of its own name.  [default: the cache of the environment store]",
)
@options.json_output
@options.output
def command(model_uri: str, output_path: Path | None, as_json: bool) -> None:
    """Fetch MODEL from where its URI leads, whole or not at all, and print the path that it has here.

    An archive is unpacked. What is in the cache of the environment store already is not fetched
    again.
    """
    from envkit.models.uris.fetch import download_model

    path = download_model(model_uri, output_path)
    click.echo(json.dumps({"path": path}) if as_json else path)
