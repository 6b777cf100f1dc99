"""`envkit deps MODEL`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from envkit.cli import options

FORMATS = ("pip", "conda", "pylock")


@click.command()
@options.model
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="pip",
    show_default=True,
    help="requirements.txt, conda.yaml or pylock.toml.",
)
@click.option(
    "-o", "--output-path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there."
)
@options.json_output
@options.output
def command(model_uri: str, form: str, output_path: Path | None, as_json: bool) -> None:
    """Print what MODEL depends on, as its files say it.

    A model that has no requirements.txt is read from the pip section of its conda.yaml.
    """
    from envkit.models.environment_files import get_model_dependencies

    path = Path(get_model_dependencies(model_uri, format=form))
    if output_path is not None:
        shutil.copyfile(path, output_path)
    if as_json:
        click.echo(json.dumps({"format": form, "content": path.read_text(encoding="utf-8-sig")}, indent=2))
    elif output_path is None:
        click.echo(path.read_text(encoding="utf-8-sig"), nl=False)
