"""`envkit diff A B`."""

from __future__ import annotations

import json
import sys

import click

from envkit.cli import options


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@options.json_output
@options.output
def command(first: str, second: str, as_json: bool) -> None:
    """Show what differs from A to B: packages added, removed and changed, their origins and hashes, the interpreter.

    A and B are models, captures (envkit.json), locks (pylock.toml), requirements files, or
    environments: a folder, its interpreter, or `current`. Ends with 0 when nothing differs, else
    with 1.
    """
    from envkit.validating.difference import diff

    found = diff(first, second)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        for line in found.lines():
            click.echo(line)
    if not found:
        options.note("Nothing differs.")
        return
    sys.stdout.flush()
    sys.exit(1)
