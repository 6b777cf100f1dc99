"""`envkit build-docker`: MLflow's name for an image that goes into a container engine."""

from __future__ import annotations

from typing import Any

import click

from envkit.cli import options, progress
from envkit.cli.build_image import image_options, show


@click.command()
@options.model
@click.option(
    "-n",
    "--name",
    default="mlflow-pyfunc-servable",
    show_default=True,
    help="The name of the image.",
)
@click.option(
    "--engine",
    type=click.Choice(["podman", "docker"]),
    default="docker",
    show_default=True,
    help="The engine that gets the image.",
)
@image_options
@options.environment
@options.json_output
@options.verbosity
def command(model_uri: str, name: str, no_cache: bool, as_json: bool, **chosen: Any) -> None:
    """Build the image of MODEL and load it into Docker or podman, as `mlflow models build-docker`.

    The engine is not needed to build: see `envkit build-image`.
    """
    from envkit.images.build import build_image

    built = build_image(
        model_uri, tag=name, use_cache=not no_cache, **chosen, report=progress.report()
    )
    show(built, as_json=as_json)
