"""`envkit pack MODEL`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from envkit.cli import options, progress


@click.command()
@options.model
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="The archive: a name that ends with .tar.zst, .tar.gz, .tgz or .tar.",
)
@options.environment
@options.json_output
@options.output
def command(
    model_uri: str,
    output_path: Path,
    as_json: bool,
    **how: Any,
) -> None:
    """Put the environment of MODEL, with its Python, into an archive that runs where it is unpacked.

    `FOLDER/bin/python` of the unpacked archive can be started as it is, as Spark's --archives does;
    `envkit envs unpack` makes it an environment of another machine's store. The environment is
    built first when it is not there.
    """
    from envkit.environments.packing.pack import pack

    packed = pack(
        model_uri,
        output_path,
        **how,
        report=progress.report(),
    )
    if as_json:
        facts = {
            "path": str(packed.path),
            "size": packed.size,
            "members": packed.members,
            "environment": str(packed.environment.path),
            "key": packed.environment.key,
            "env_manager": packed.environment.manager.value,
        }
        click.echo(json.dumps(facts, indent=2))
    else:
        click.echo(packed.path)
