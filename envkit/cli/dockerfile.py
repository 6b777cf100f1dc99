"""`envkit dockerfile MODEL`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from envkit.cli import options, progress
from envkit.cli.build_image import labels

Command = TypeVar("Command", bound=Callable[..., Any])


def dockerfile_options(function: Command) -> Command:
    """The options that `dockerfile` and `generate-dockerfile` share."""
    several = (
        click.option(
            "--base",
            "--base-image",
            metavar="IMAGE",
            help="An image with the model's Python.  [default: python:VERSION-slim of Docker Hub]",
        ),
        click.option(
            "--user",
            default="65532:65532",
            show_default=True,
            metavar="UID[:GID]",
            help="The user that the image runs as.",
        ),
        labels,
        click.option("--no-server", is_flag=True, help="Leave the scoring server out."),
    )
    for option in reversed(several):
        function = option(function)
    return function


@click.command()
@options.model
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to write.",
)
@dockerfile_options
@options.verbosity
def command(model_uri: str, output: Path, no_server: bool, **chosen: Any) -> None:
    """Write a folder from which `docker build` builds the image of MODEL.

    Packages come before the model, with their hashes; credentials are secrets of the build.
    """
    write(model_uri, output, server=not no_server, **chosen)


def write(model_uri: str, output: Path, **chosen: Any) -> None:
    """Write the folder and print the path of the Dockerfile."""
    from envkit.images.dockerfile import generate_dockerfile

    generated = generate_dockerfile(model_uri, output, **chosen, report=progress.report())
    click.echo(generated.path)
