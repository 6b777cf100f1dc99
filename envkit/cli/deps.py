"""`envkit deps MODEL`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from envkit.cli import options
from envkit.errors import InvalidArgument

FORMATS = ("pip", "conda", "pylock", "cyclonedx", "apt")


@click.command()
@options.model
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="pip",
    show_default=True,
    help="requirements.txt, conda.yaml, pylock.toml, a bill of materials (CycloneDX 1.6, JSON), "
    "or the Debian packages of native libraries and programs, one a line.",
)
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there.",
)
@options.json_output
@options.output
def command(model_uri: str, form: str, output_path: Path | None, as_json: bool) -> None:
    """Print what MODEL depends on, as its files say it.

    A model that has no requirements.txt is read from the pip section of its conda.yaml. With
    `--format apt`, those of the capture's machine are printed: `xargs -a FILE apt-get install -y`
    brings them into an image.
    """
    content, told = _read(model_uri, form)
    if told:
        options.note(told)
    if output_path is not None:
        _write(output_path, content)
    if as_json:
        click.echo(json.dumps({"format": form, "content": content}, indent=2))
    elif output_path is None:
        click.echo(content, nl=False)


def _read(model_uri: str, form: str) -> tuple[str, str]:
    if form == "apt":
        from envkit.models.evidence.system_packages import debian_packages

        return "".join(f"{name}\n" for name in debian_packages(model_uri)), ""
    if form == "cyclonedx":
        from envkit.models.evidence.bill_of_materials import read_bill

        return read_bill(model_uri), ""
    from envkit.models.environment_files import read_model_dependencies

    content, told = read_model_dependencies(model_uri, format=form)
    return content, told or ""


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InvalidArgument(f"The file cannot be written to {path}: {error.strerror}.") from error
