"""`envkit prepare-env MODEL`."""

from __future__ import annotations

import json
from typing import Any

import click

from envkit.cli import options, progress


@click.command()
@options.model
@options.environment
@options.json_output
@options.output
def command(
    model_uri: str,
    as_json: bool,
    **how: Any,
) -> None:
    """Rebuild the environment of MODEL, unless it is there already, and print where it is.

    `envkit predict` then starts at once.
    """
    from envkit.environments.reproduction import prepare_env

    environment = prepare_env(
        model_uri,
        **how,
        report=progress.report(),
    )
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
