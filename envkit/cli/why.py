"""`envkit why MODEL PACKAGE`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from envkit.cli import options

if TYPE_CHECKING:
    from envkit.models.evidence.why import Why

_ROLES = {
    "requirement": "is a requirement of the model",
    "constraint": "is implied by what the model requires",
    "optional": "is not installed: a library only looked whether it is there",
}


@click.command()
@click.argument("names", metavar="MODEL PACKAGE", nargs=-1)
@click.option("-m", "--model-uri", metavar="URI", help="The model; the same as MODEL.")
@options.json_output
@options.output
def command(names: tuple[str, ...], model_uri: str | None, as_json: bool) -> None:
    """Say why PACKAGE is in the environment of MODEL: who imported it, in which phase, where.

    PACKAGE is the name of a distribution, or of a module that was imported. For what no code asks
    for, the distributions are shown whose metadata implies it. Nothing is run: the evidence of the
    last capture is read.
    """
    from envkit.models.evidence.why import why

    words = (model_uri, *names) if model_uri is not None else names
    if len(words) != 2:
        raise click.UsageError("Name the model (as MODEL or with -m/--model-uri) and one PACKAGE.")
    found = why(words[0], words[1])
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        _show(found)


def _show(found: Why) -> None:
    from envkit.models.evidence.why import in_words

    click.echo(
        f"{found.name} {found.version} {_ROLES.get(found.role, found.role)}: {found.requirement}"
    )
    if found.implied_by:
        click.echo(f"  {' → '.join(found.implied_by)}")
    for reason in found.reasons:
        click.echo(f"  {reason['phase']}: {in_words(reason)}")
    if not found.reasons:
        click.echo("  No import of it was seen.")
