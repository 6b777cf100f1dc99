"""`envkit envs unpack ARCHIVE`."""

from __future__ import annotations

from pathlib import Path

import click

from envkit.cli import options, output, progress


@click.command("unpack")
@click.argument("archive", type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder for the environment, empty or new.  [default: the environment store]",
)
@options.json_output
@options.verbosity
def command(archive: Path, into: Path | None, as_json: bool) -> None:
    """Unpack an archive that `envkit pack` wrote, and print the path of the environment.

    In the store it is ready for the model that it was packed for: `envkit predict` then needs no
    network. An archive contains programs: unpack only those that you trust.
    """
    from envkit.environments.packing.unpack import unpack

    environment = unpack(archive, into, report=progress.report())
    for sentence in environment.notes:
        output.note(sentence)
    output.print_environment(environment, as_json=as_json)
