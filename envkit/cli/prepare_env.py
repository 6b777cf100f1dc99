"""`envkit prepare-env MODEL`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from envkit.cli import options, progress


@click.command()
@options.model
@options.env_manager
@options.target_python
@options.python_policy
@options.conda_exe
@options.requirements_override
@options.allow_source
@options.json_output
@options.output
def command(
    model_uri: str,
    env_manager: str,
    python: Path | None,
    python_policy: str,
    conda_exe: str | None,
    pip_requirements_override: tuple[str, ...],
    allow_source: bool,
    as_json: bool,
) -> None:
    """Rebuild the environment of MODEL, unless it is there already, and print where it is.

    `envkit predict` then starts at once.
    """
    from envkit.environments.reproduction import prepare_env

    environment = prepare_env(
        model_uri,
        env_manager,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
        pip_requirements_override=pip_requirements_override,
        allow_source=allow_source,
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
