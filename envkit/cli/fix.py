"""`envkit fix MODEL…`."""

from __future__ import annotations

import json
import sys

import click

from envkit.cli import options
from envkit.cli.validate import words


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1)
@click.option(
    "-m", "--model-uri", "named", metavar="URI", multiple=True, help="A model; the same as MODEL."
)
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@click.option("--diff", "only_diff", is_flag=True, help="Show the changes and write nothing.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing, show nothing, and end with 1 if anything would be changed.",
)
@click.option(
    "--select", metavar="RULE", multiple=True, callback=words, help="Mend only these: codes, names."
)
@click.option("--ignore", metavar="RULE", multiple=True, callback=words, help="Do not mend these.")
@options.json_output
@options.output
def command(
    models: tuple[str, ...],
    named: tuple[str, ...],
    yes: bool,
    only_diff: bool,
    check: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    as_json: bool,
) -> None:
    """Mend in the environment files of each MODEL what can be mended mechanically, and show how first.

    Pins, missing entries and files, files that disagree, credentials, unquoted versions of Python.
    On a terminal it asks; elsewhere nothing is written without --yes. All files of a model are
    written, or none. Ends with 1 when there are changes that were not written.
    """
    from envkit.validating.fixing import fix

    if not (*models, *named):
        raise click.UsageError("Name at least one model: as MODEL or with -m/--model-uri.")
    if sum((yes, only_diff, check)) > 1:
        raise click.UsageError("Give one of --yes, --diff and --check.")
    left = False
    told = []
    for model in (*models, *named):
        found = fix(model, select=select, ignore=ignore)
        if found and not check and not as_json:
            click.echo(found.diff.encode("utf-8", "backslashreplace"), nl=False)
        if found and (yes or _agreed(model, quiet=only_diff or check or as_json)):
            found = fix(model, select=select, ignore=ignore, write=True)
            options.note(
                f"Changed {', '.join(sorted(found.files))} in {found.model} ({', '.join(found.rules)})."
            )
        elif found:
            left = True
            options.note(f"{model}: {_would_change(len(found.files))} ({', '.join(found.rules)}).")
        else:
            options.note(
                f"{model}: nothing that could be mended was found; `envkit validate` tells the rest."
            )
        written = {
            "model": model,
            "files": sorted(found.files),
            "rules": list(found.rules),
            "written": found.written,
        }
        told.append({**written, "diff": found.diff})
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    if left:
        sys.stdout.flush()
        sys.exit(1)


def _would_change(files: int) -> str:
    return f"{files} file{'s' * (files != 1)} would be changed"


def _agreed(model: str, *, quiet: bool) -> bool:
    """Ask, where there is somebody to ask."""
    if quiet or not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(f"Change {model}?", err=True)
