"""`envkit update-requirements MODEL add|remove REQUIREMENT…`."""

from __future__ import annotations

import click

from envkit.cli import options


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[MODEL] add|remove REQUIREMENT...")
@click.option("-m", "--model-uri", metavar="MODEL", help="The model, instead of the argument.")
@options.verbosity
def command(words: tuple[str, ...], model_uri: str | None) -> None:
    """Add requirements to MODEL, or remove some, in requirements.txt and conda.yaml.

    A requirement that is added replaces that of the same distribution. A lock of the model would
    be wrong then and is removed; `envkit lock` writes a new one.
    """
    from envkit.models.updates import update_model_requirements

    if model_uri is None:
        model_uri, *rest = words
    else:
        rest = list(words)
    if len(rest) < 2:
        raise click.UsageError("Give the model, add or remove, and at least one requirement.")
    operation, *requirements = rest
    update_model_requirements(model_uri, operation, requirements)
    click.echo(f"Updated the requirements of {model_uri}.")
