"""`envkit prepare-env MODEL`."""

from __future__ import annotations

from typing import Any

import click

from envkit.cli import options, output, progress


@click.command()
@options.model
@options.environment
@options.json_output
@options.verbosity
def command(model_uri: str, as_json: bool, **choice: Any) -> None:
    """Rebuild the environment of MODEL unless it exists, and print its path.

    `envkit predict` then starts at once.
    """
    from envkit.environments.reproduction import prepare_env

    environment = prepare_env(model_uri, **choice, report=progress.report())
    output.print_environment(environment, as_json=as_json)
