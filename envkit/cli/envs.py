"""`envkit envs list|path|verify|remove|prune`: the environment store."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options
from envkit.cli.unpack import unpack

if TYPE_CHECKING:
    from envkit.environments.store.housekeeping import Removed, Stored

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_BINARY_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def _duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Give the seconds of `30d`, `12h`, `90m`, `2w`."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", value.strip().lower())
    if found is None:
        raise click.BadParameter(f"{value!r} is no length of time, as 30d, 12h or 2w.")
    return float(found[1]) * _SECONDS[found[2]]


def _size(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Give the bytes of `20GB`, `500MB`, `1.5GiB`, or of a number."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", value.strip().upper())
    if found is None or (found[3] and not found[2]):
        raise click.BadParameter(f"{value!r} is no size, as 20GB, 500MB or 1.5GiB.")
    return int(float(found[1]) * (_BINARY_BYTES if found[3] else _BYTES)[found[2]])


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """Look after the environments that were built, which all models and processes of a user share."""


command.add_command(unpack)
_targets = click.argument("targets", nargs=-1, metavar="ENVIRONMENT...")
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be removed.")


@command.command("list")
@options.json_output
@options.output
def list_(as_json: bool) -> None:
    """List the environments: size, last use, Python, and the models that used them."""
    from envkit.environments.store import housekeeping

    found = housekeeping.environments()
    if as_json:
        click.echo(json.dumps([_facts(each) for each in found], indent=2))
        return
    rows = [
        (each.name, each.python, _human(each.size), _ago(each.last_used), _remarks(each))
        for each in found
    ]
    _print_table([("ENVIRONMENT", "PYTHON", "SIZE", "LAST USED", "MODELS"), *rows] if rows else [])
    total = _human(sum(each.size for each in found))
    options.note(f"{_counted(found)}, {total}." if found else "No environments.")


@command.command()
@options.model
@options.environment
@options.json_output
@options.output
def path(
    model_uri: str,
    as_json: bool,
    **how: Any,
) -> None:
    """Print where the environment of MODEL is; exit code 1 when it is not built.

    With options as for prepare-env. Nothing is built.
    """
    from envkit.environments.lookup import find_env

    found = find_env(
        model_uri,
        **how,
    )
    if as_json:
        click.echo(
            json.dumps({"path": str(found.path), "ready": found.ready, "why": found.why}, indent=2)
        )
    elif found.ready:
        click.echo(found.path)
    else:
        click.echo(f"{found.path} is not ready: {found.why or 'it was never built'}.", err=True)
    if not found.ready:
        sys.exit(1)


@command.command()
@_targets
@click.option(
    "--repair", is_flag=True, help="Remove what is damaged, so that its next use builds it anew."
)
@options.json_output
@options.output
def verify(targets: tuple[str, ...], repair: bool, as_json: bool) -> None:
    """Check every file of environments against its recorded digest; exit code 1 when something is wrong.

    ENVIRONMENT is a name from `envkit envs list` or its beginning, a path, or a model; default:
    all.
    """
    from envkit.environments.store import housekeeping

    facts, damaged = [], 0
    for each in housekeeping.verify(targets, repair=repair):
        damaged += bool(each.problems)
        facts.append(
            {**_facts(each.environment), "problems": each.problems, "removed": each.removed}
        )
        if not as_json:
            if each.removed:
                state = "damaged, removed"
            elif each.problems:
                state = "damaged"
            else:
                state = "sound"
            click.echo(f"{each.environment.name}: {state}")
            for problem in each.problems:
                click.echo(f"  {problem}")
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    if damaged:
        sys.exit(1)


@command.command()
@click.argument("targets", nargs=-1, required=True, metavar="ENVIRONMENT...")
@_dry_run
@options.json_output
@options.output
def remove(targets: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Remove environments, unless they are in use (exit code 1).

    ENVIRONMENT is a name from `envkit envs list` or its beginning, a path, or a model that used it.
    """
    from envkit.environments.store import housekeeping

    done = housekeeping.remove(targets, dry_run=dry_run)
    _tell(done, dry_run=dry_run, as_json=as_json)
    if done.kept:
        sys.exit(1)


@command.command()
@click.option(
    "--older-than",
    callback=_duration,
    metavar="TIME",
    help="What was not used for so long: 30d, 12h, 2w.",
)
@click.option(
    "--max-size",
    callback=_size,
    metavar="SIZE",
    help="The longest unused, until the rest is not larger: 20GB.",
)
@click.option("--all", "everything", is_flag=True, help="All environments.")
@click.option(
    "--cache", is_flag=True, help="The installers' download caches and fetched models, too."
)
@_dry_run
@options.json_output
@options.output
def prune(
    older_than: float | None,
    max_size: int | None,
    everything: bool,
    cache: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove what is not needed; environments in use stay.

    Without options: what killed processes left, and what cannot be used any more because it was
    moved or its interpreter is gone.
    """
    from envkit.environments.store import housekeeping

    done = housekeeping.prune(
        older_than=older_than,
        max_size=max_size,
        everything=everything,
        cache=cache,
        dry_run=dry_run,
    )
    _tell(done, dry_run=dry_run, as_json=as_json)


def _tell(done: Removed, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        facts = {
            "removed": [_facts(each) for each in done.removed],
            "kept": [_facts(each) for each in done.kept],
            "cache_bytes": done.cache,
            "freed_bytes": done.freed,
            "dry_run": dry_run,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    for each in done.removed:
        click.echo(each.name)
    for each in done.kept:
        click.echo(f"{each.name} is in use and stays.", err=True)
    would = "Would remove" if dry_run else "Removed"
    options.note(f"{would} {_counted(done.removed)}, {_human(done.freed)}.")


def _facts(environment: Stored) -> dict[str, Any]:
    return {
        "name": environment.name,
        "path": str(environment.path),
        "env_manager": environment.manager,
        "key": environment.key,
        "python": environment.python,
        "size_bytes": environment.size,
        "last_used": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(environment.last_used)),
        "models": [str(model) for model in environment.models],
        "unusable": environment.unusable,
        "in_use": environment.in_use,
    }


def _remarks(environment: Stored) -> str:
    models = [
        _printable(model) + ("" if model.is_dir() else " (gone)") for model in environment.models
    ]
    marks = ["in use"] if environment.in_use else []
    marks += (
        [f"unusable: {environment.unusable}"]
        if environment.unusable and not environment.in_use
        else []
    )
    return ", ".join(models) + (f"  [{'; '.join(marks)}]" if marks else "")


def _printable(path: Path) -> str:
    return str(path).encode(errors="replace").decode()


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _counted(environments: Sequence[Stored]) -> str:
    return f"{len(environments)} environment{'' if len(environments) == 1 else 's'}"


def _human(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            if unit in {"B", "kB"} or size >= 100:
                return f"{size:.0f} {unit}"
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _ago(moment: float) -> str:
    seconds = max(time.time() - moment, 0)
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"
