"""`envkit envs list|path|verify|remove|prune|unpack`: the environment store."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, output, unpack
from envkit.cli.quantities import format_age, format_size, parse_duration, parse_size
from envkit.formats.text import printable

if TYPE_CHECKING:
    from envkit.environments.store.housekeeping import Removed, StoredEnvironment, Verified

HEADER = ("ENVIRONMENT", "PYTHON", "SIZE", "LAST USED", "MODELS")


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """Manage the built environments, which all models and processes of a user share."""


command.add_command(unpack.command)

_dry_run = click.option("--dry-run", is_flag=True, help="Only print what would be removed.")


@command.command("list")
@options.json_output
@options.verbosity
def list_(as_json: bool) -> None:
    """List the environments: size, last use, Python, and the models that used them."""
    from envkit.environments.store import housekeeping

    environments = housekeeping.environments()
    if as_json:
        output.print_json([_facts(environment) for environment in environments])
        return
    if not environments:
        output.note("No environments.")
        return
    _print_table([HEADER, *(_row(environment) for environment in environments)])
    total = format_size(sum(environment.size for environment in environments))
    output.note(f"{output.counted(len(environments), 'environment')}, {total}.")


@command.command()
@options.model
@options.environment
@options.json_output
@options.verbosity
def path(model_uri: str, as_json: bool, **choice: Any) -> None:
    """Print the path of the environment of MODEL; the exit code is 1 when it is not built.

    The options are those of prepare-env. Nothing is built.
    """
    from envkit.environments.lookup import find_env

    place = find_env(model_uri, **choice)
    if as_json:
        output.print_json({"path": str(place.path), "ready": place.ready, "why": place.why})
    elif place.ready:
        click.echo(place.path)
    else:
        click.echo(f"{place.path} is not ready: {place.why or 'it was never built'}.", err=True)
    if not place.ready:
        sys.exit(1)


@command.command()
@click.argument("targets", nargs=-1, metavar="ENVIRONMENT...")
@click.option(
    "--repair",
    is_flag=True,
    help="Remove damaged environments, so that they are built again when they are next used.",
)
@options.json_output
@options.verbosity
def verify(targets: tuple[str, ...], repair: bool, as_json: bool) -> None:
    """Compare every file of environments with its recorded digest.

    The exit code is 1 when any file differs.

    ENVIRONMENT is a name from `envkit envs list` or its beginning, a path, or a model. By default
    all environments are verified.
    """
    from envkit.environments.store import housekeeping

    facts = []
    damaged = False
    for result in housekeeping.verify(targets, repair=repair):
        damaged = damaged or bool(result.problems)
        facts.append(
            {
                **_facts(result.environment),
                "problems": result.problems,
                "removed": result.removed,
            }
        )
        if not as_json:
            _print_verified(result)
    if as_json:
        output.print_json(facts)
    if damaged:
        sys.exit(1)


@command.command()
@click.argument("targets", nargs=-1, required=True, metavar="ENVIRONMENT...")
@_dry_run
@options.json_output
@options.verbosity
def remove(targets: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Remove environments that are not in use; the exit code is 1 when any is.

    ENVIRONMENT is a name from `envkit envs list` or its beginning, a path, or a model that used it.
    """
    from envkit.environments.store import housekeeping

    removed = housekeeping.remove(targets, dry_run=dry_run)
    _report(removed, dry_run=dry_run, as_json=as_json)
    if removed.kept:
        sys.exit(1)


@command.command()
@click.option(
    "--older-than",
    callback=parse_duration,
    metavar="TIME",
    help="Environments that were not used for this time: 30d, 12h, 2w.",
)
@click.option(
    "--max-size",
    callback=parse_size,
    metavar="SIZE",
    help="The least recently used, until the others are not larger than this: 20GB.",
)
@click.option("--all", "everything", is_flag=True, help="All environments.")
@click.option(
    "--cache", is_flag=True, help="Also the installers' download caches and fetched models."
)
@_dry_run
@options.json_output
@options.verbosity
def prune(dry_run: bool, as_json: bool, **limits: Any) -> None:
    """Remove what is not needed; environments in use are kept.

    Without options: the remains of killed processes, and environments that cannot be used any more
    because they were moved or their interpreter is gone.
    """
    from envkit.environments.store import housekeeping

    removed = housekeeping.prune(dry_run=dry_run, **limits)
    _report(removed, dry_run=dry_run, as_json=as_json)


def _print_verified(result: Verified) -> None:
    state = "damaged" if result.problems else "sound"
    if result.removed:
        state = "damaged, removed"
    click.echo(f"{result.environment.name}: {state}")
    for problem in result.problems:
        output.print_line(f"  {problem}")


def _report(removed: Removed, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        facts = {
            "removed": [_facts(environment) for environment in removed.removed],
            "kept": [_facts(environment) for environment in removed.kept],
            "cache_bytes": removed.cache,
            "freed_bytes": removed.freed,
            "dry_run": dry_run,
        }
        output.print_json(facts)
        return
    for environment in removed.removed:
        click.echo(environment.name)
    for environment in removed.kept:
        click.echo(f"{environment.name} is in use and was not removed.", err=True)
    verb = "Would remove" if dry_run else "Removed"
    environments = output.counted(len(removed.removed), "environment")
    output.note(f"{verb} {environments}, {format_size(removed.freed)}.")


def _facts(environment: StoredEnvironment) -> dict[str, Any]:
    last_used = time.gmtime(environment.last_used)
    return {
        "name": environment.name,
        "path": str(environment.path),
        "env_manager": environment.manager,
        "key": environment.key,
        "python": environment.python,
        "size_bytes": environment.size,
        "last_used": time.strftime("%Y-%m-%dT%H:%M:%SZ", last_used),
        "models": [str(model) for model in environment.models],
        "unusable": environment.unusable,
        "in_use": environment.in_use,
    }


def _row(environment: StoredEnvironment) -> tuple[str, ...]:
    return (
        environment.name,
        environment.python,
        format_size(environment.size),
        format_age(environment.last_used),
        _models(environment),
    )


def _models(environment: StoredEnvironment) -> str:
    """Name the models of an environment, and its state unless it is ready and not in use."""
    names = [_printable(model) for model in environment.models]
    text = ", ".join(names)
    if environment.in_use:
        text += "  [in use]"
    elif environment.unusable:
        text += f"  [unusable: {environment.unusable}]"
    return text


def _printable(model: Path) -> str:
    # A path may hold bytes that are not text.
    name = printable(str(model))
    return name if model.is_dir() else f"{name} (gone)"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        output.print_line("  ".join(cells).rstrip())
