"""`envkit why MODEL PACKAGE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envkit.cli import options, output

if TYPE_CHECKING:
    from envkit.models.evidence.why import Why

_ROLES = {
    "requirement": "is a requirement of the model",
    "constraint": "is a dependency of the model's requirements",
    "optional": "is not installed; a library only checked whether it is",
}


@click.command()
@click.argument("names", metavar="MODEL PACKAGE", nargs=-1)
@click.option("-m", "--model-uri", metavar="URI", help="The model, instead of MODEL.")
@options.json_output
@options.verbosity
def command(names: tuple[str, ...], model_uri: str | None, as_json: bool) -> None:
    """Show why PACKAGE is in the environment of MODEL: what imported it, in which phase, where.

    PACKAGE is the name of a distribution or of an imported module. For a package that no code
    imports, the command shows the distributions that require it. Nothing is run: the command reads
    the evidence of the last capture.
    """
    from envkit.models.evidence.why import why

    words = names if model_uri is None else (model_uri, *names)
    if len(words) != 2:
        raise click.UsageError("Name the model (as MODEL or with -m/--model-uri) and one PACKAGE.")
    answer = why(words[0], words[1])
    if as_json:
        output.print_json(answer.as_json())
    else:
        _show(answer)


def _show(answer: Why) -> None:
    from envkit.models.evidence.why import in_words

    role = _ROLES.get(answer.role, answer.role)
    output.print_line(f"{answer.name} {answer.version} {role}: {answer.requirement}")
    if answer.implied_by:
        output.print_line(f"  {' → '.join(answer.implied_by)}")
    for reason in answer.reasons:
        output.print_line(f"  {reason['phase']}: {in_words(reason)}")
    if not answer.reasons:
        click.echo("  No import of it was recorded.")
