"""What commands print: results on standard output, notes on standard error."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TextIO

import click

from envkit.formats.text import printable

if TYPE_CHECKING:
    from envkit.environments.environment import Environment


def is_quiet() -> bool:
    """Whether the user wants to see errors only."""
    return bool(_verbosity().get("quiet"))


def has_colour(stream: TextIO) -> bool:
    """Whether to write colours: on a terminal, unless `NO_COLOR` is set; with `FORCE_COLOR` always.

    https://no-color.org
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def note(message: str, *, only_verbose: bool = False, label: str = "") -> None:
    """Print a line on standard error, but not with `-q`; `only_verbose` requires `-v`.

    `label` is printed before it as it is, so it may have colours.
    """
    verbosity = _verbosity()
    if verbosity.get("quiet") or (only_verbose and not verbosity.get("verbose")):
        return
    click.echo(f"{label}{printable(message)}", err=True)


def print_error(error: object) -> None:
    """Print an error on standard error."""
    prefix = "Error:"
    if not os.environ.get("NO_COLOR"):
        prefix = click.style(prefix, fg="red", bold=True)
    click.echo(f"{prefix} {printable(str(error))}", err=True)


def print_text(text: str) -> None:
    """Print text that holds something of a model on standard output; line ends are its own."""
    click.echo(printable(text), nl=False)


def print_line(line: str) -> None:
    """Print a line that holds something of a model on standard output."""
    click.echo(printable(line))


def print_json(value: Any) -> None:
    """Print a value as JSON, in ASCII: paths may hold bytes that are not text in any encoding."""
    click.echo(json.dumps(value, indent=2))


def print_environment(environment: Environment, *, as_json: bool) -> None:
    """Print where an environment is, or all facts about it as JSON."""
    if not as_json:
        click.echo(environment.path)
        return
    facts = {
        "path": str(environment.path),
        "python": str(environment.python),
        "key": environment.key,
        "env_manager": environment.manager.value,
        "built": environment.built,
        "notes": environment.notes,
    }
    print_json(facts)


def counted(number: int, noun: str) -> str:
    """Give "1 file" or "2 files"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verbosity() -> dict[str, bool]:
    """Give the flags that `options.verbosity` keeps in the context."""
    flags: dict[str, bool] = click.get_current_context().ensure_object(dict)
    return flags
