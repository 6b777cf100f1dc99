"""`envkit envs unpack ARCHIVE`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from envkit.cli import options, progress


@click.command("unpack")
@click.argument("archive", type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Lay the environment into this folder, empty or not there yet.  [default: the environment store]",
)
@options.json_output
@options.output
def unpack(archive: Path, into: Path | None, as_json: bool) -> None:
    """Make an environment of an archive that `envkit pack` wrote, and print where it is.

    In the store it is ready for the model it was packed for: `envkit predict` then needs no
    network. An archive holds programs: unpack what you trust.
    """
    from envkit.environments.packing.unpack import unpack as unpacked

    environment = unpacked(archive, into, report=progress.report())
    for each in environment.notes:
        options.note(each)
    if as_json:
        facts = {
            "path": str(environment.path),
            "python": str(environment.python),
            "key": environment.key,
            "env_manager": environment.manager.value,
            "built": environment.built,
            "notes": environment.notes,
        }
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo(environment.path)
