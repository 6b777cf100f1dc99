"""`envkit export TARGET MODEL …`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from envkit.cli import options, progress


@click.command()
@click.argument("target", type=click.Choice(["compose", "kubernetes", "systemd"]))
@click.argument("model_uris", metavar="MODEL…", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default="the working directory",
    metavar="DIR",
    help="The folder for the files.",
)
@click.option(
    "--image",
    default="{name}:latest",
    show_default=True,
    metavar="REFERENCE",
    help="The images; {name} stands for the name of the model's folder.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MB",
    help="The memory that a server needs.  [default: measured by one prediction]",
)
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The number of processes that load a model.",
)
@options.verbosity
def command(target: str, model_uris: tuple[str, ...], output: Path, **chosen: Any) -> None:
    """Write the files with which TARGET runs the images of models, or the models themselves.

    compose: compose.yaml. kubernetes: a Deployment and a Service for each model. systemd: a unit
    for each model, without containers.
    """
    from envkit.exports.export import export

    for path in export(target, model_uris, output, **chosen, report=progress.report()):
        click.echo(path)
