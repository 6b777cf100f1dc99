"""`envkit deps MODEL`."""

from __future__ import annotations

from pathlib import Path

import click

from envkit.cli import options, output
from envkit.errors import InvalidArgument

FORMATS = ("pip", "conda", "pylock", "cyclonedx", "apt")


@click.command()
@options.model
@click.option(
    "--format",
    "output_format",
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
    help="Write to this file.",
)
@options.json_output
@options.verbosity
def command(model_uri: str, output_format: str, output_path: Path | None, as_json: bool) -> None:
    """Print the dependencies of MODEL, as its files state them.

    Without requirements.txt, the pip section of conda.yaml is printed. `--format apt` prints the
    packages of the machine that captured the model: `xargs -a FILE apt-get install -y` installs
    them into an image.
    """
    content, remark = _read(model_uri, output_format)
    if remark:
        output.note(remark)
    if output_path is not None:
        _write(output_path, content)
    if as_json:
        output.print_json({"format": output_format, "content": content})
    elif output_path is None:
        click.echo(content, nl=False)


def _read(model_uri: str, output_format: str) -> tuple[str, str]:
    """Give the dependencies in a format, and a remark on them or nothing."""
    if output_format == "apt":
        from envkit.models.evidence.system_packages import debian_packages

        return "".join(f"{name}\n" for name in debian_packages(model_uri)), ""
    if output_format == "cyclonedx":
        from envkit.models.evidence.bill_of_materials import read_bill

        return read_bill(model_uri), ""
    from envkit.models.dependencies import read_model_dependencies

    content, remark = read_model_dependencies(model_uri, format=output_format)
    return content, remark or ""


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InvalidArgument(f"Cannot write {path}: {error.strerror}.") from error
