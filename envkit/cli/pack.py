"""`envkit pack MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from envkit.cli import options, output, progress


@click.command()
@options.model
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="The archive; its name ends in .tar.zst, .tar.gz, .tgz or .tar.",
)
@options.environment
@options.json_output
@options.verbosity
def command(model_uri: str, output_path: Path, as_json: bool, **choice: Any) -> None:
    """Pack the environment of MODEL, with its Python, into an archive that runs on other machines.

    The program FOLDER/bin/python of the unpacked archive starts without further steps, as Spark's
    --archives requires; `envkit envs unpack` adds it to another machine's environment store. The
    environment is built unless it exists.
    """
    from envkit.environments.packing.pack import pack

    packed = pack(model_uri, output_path, **choice, report=progress.report())
    if not as_json:
        click.echo(packed.path)
        return
    facts = {
        "path": str(packed.path),
        "size": packed.size,
        "members": packed.members,
        "environment": str(packed.environment.path),
        "key": packed.environment.key,
        "env_manager": packed.environment.manager.value,
    }
    output.print_json(facts)
