"""`envkit diff A B`."""

from __future__ import annotations

import sys

import click

from envkit.cli import options, output


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@options.json_output
@options.verbosity
def command(first: str, second: str, as_json: bool) -> None:
    """Show the differences from A to B: packages, their origins and hashes, the interpreter.

    A and B are models, captures (envkit.json), locks (pylock.toml), requirements files, or
    environments: a folder, an interpreter, or `current`. The exit code is 1 when there are
    differences, else 0.
    """
    from envkit.validating.difference import diff

    difference = diff(first, second)
    if as_json:
        output.print_json(difference.as_json())
    else:
        for line in difference.lines():
            output.print_line(line)
    if not difference:
        output.note("There are no differences.")
        return
    sys.stdout.flush()
    sys.exit(1)
