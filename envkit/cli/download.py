"""`envkit download MODEL`."""

from __future__ import annotations

from pathlib import Path

import click

from envkit.cli import options, output


@click.command()
@options.model
@click.option(
    "-o",
    "--output-path",
    "output_path",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that gets a folder with the model's name.  [default: the cache of the "
    "environment store]",
)
@options.json_output
@options.verbosity
def command(model_uri: str, output_path: Path | None, as_json: bool) -> None:
    """Fetch MODEL from its URI, completely or not at all, and print its local path.

    An archive is unpacked. A model that is already in the cache of the environment store is not
    fetched again.
    """
    from envkit.models.uris.fetch import download_model

    path = download_model(model_uri, output_path)
    if as_json:
        output.print_json({"path": path})
    else:
        click.echo(path)
