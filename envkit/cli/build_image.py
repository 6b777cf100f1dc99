"""`envkit build-image MODEL`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from envkit.cli import options, output, progress

if TYPE_CHECKING:
    from envkit.images.build import BuiltImage

Command = TypeVar("Command", bound=Callable[..., Any])


def _labels(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter("must be KEY=VALUE.")
        labels[name] = value
    return labels


labels = click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_labels,
    help="A label of the image; may be given several times.",
)


def image_options(function: Command) -> Command:
    """The options that `build-image` and `build-docker` share."""
    several = (
        click.option(
            "--base",
            default="debian",
            show_default=True,
            metavar="IMAGE",
            help="Build on this: debian or debian:SUITE (put together by mmdebstrap), an image of "
            "a registry, oci:DIR[:TAG], a tar of `docker save`, or none.",
        ),
        click.option(
            "--platform",
            metavar="OS/ARCH[,…]",
            help="Platforms; several make an index.  [default: that of this machine]",
        ),
        click.option(
            "--compression",
            type=click.Choice(["gzip", "zstd"]),
            default="gzip",
            show_default=True,
            help="Compression of the layers.",
        ),
        click.option(
            "--bytecode",
            type=click.Choice(["used", "all", "none"]),
            default="used",
            show_default=True,
            help="Compile the modules that the capture recorded, all, or none.",
        ),
        click.option(
            "--user",
            default="65532:65532",
            show_default=True,
            metavar="UID[:GID]",
            help="The user that the image runs as.",
        ),
        labels,
        click.option(
            "--attest",
            is_flag=True,
            help="Add a bill of materials and the provenance as referrers.",
        ),
        click.option("--no-cache", is_flag=True, help="Make all layers again."),
    )
    for option in reversed(several):
        function = option(function)
    return function


@click.command()
@options.model
@click.option("-t", "--tag", metavar="REFERENCE", help="The name of the image.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.tar",
    help="Write an OCI image layout, or a tar for `docker load`.",
)
@click.option("--push", "push_to", metavar="REFERENCE", help="Push to a registry.")
@click.option(
    "--engine",
    type=click.Choice(["none", "podman", "docker"]),
    default="none",
    show_default=True,
    help="Load the image into a container engine.",
)
@click.option("--no-server", is_flag=True, help="Leave the scoring server out.")
@image_options
@options.environment
@options.json_output
@options.verbosity
def command(model_uri: str, no_server: bool, no_cache: bool, as_json: bool, **chosen: Any) -> None:
    """Build the container image of MODEL, without a container engine.

    The image serves on port 8080 as a user without rights, on a read-only file system.
    """
    from envkit.images.build import build_image

    built = build_image(
        model_uri,
        server=not no_server,
        use_cache=not no_cache,
        **chosen,
        report=progress.report(),
    )
    show(built, as_json=as_json)


def show(built: BuiltImage, *, as_json: bool) -> None:
    """Print a finished image."""
    for note in built.notes:
        output.note(note)
    if as_json:
        click.echo(json.dumps(asdict(built), indent=2, default=str))
        return
    for layer in built.layers:
        output.note(f"{layer.size / 1e6:9.2f} MB  {layer.created_by}")
    if built.pushed is not None:
        sent = f"{built.pushed.objects} objects, {built.pushed.size / 1e6:.2f} MB"
        output.note(f"Pushed to {built.pushed.reference} ({sent}).")
    output.note(f"{built.size / 1e6:9.2f} MB in all")
    click.echo(built.digest)
