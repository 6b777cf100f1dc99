"""`envkit fix MODEL…`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from envkit.cli import options, output
from envkit.errors import EnvkitError

if TYPE_CHECKING:
    from envkit.validating.fixing import Fix


@click.command()
@options.models
@click.option("-y", "--yes", is_flag=True, help="Write without asking.")
@click.option("--diff", "only_diff", is_flag=True, help="Print the changes and write nothing.")
@click.option(
    "--check",
    is_flag=True,
    help="Print and write nothing; the exit code is 1 if anything would change.",
)
@click.option(
    "--select",
    metavar="RULE",
    multiple=True,
    callback=options.split_words,
    help="Fix only these rules, by code or name.",
)
@click.option(
    "--ignore",
    metavar="RULE",
    multiple=True,
    callback=options.split_words,
    help="Do not fix these rules.",
)
@click.option(
    "--lock",
    is_flag=True,
    help="Also add pylock.toml, with hashes, where it is missing or disagrees (asks the indexes).",
)
@options.json_output
@options.verbosity
def command(
    models: tuple[str, ...],
    named: tuple[str, ...],
    yes: bool,
    only_diff: bool,
    check: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    lock: bool,
    as_json: bool,
) -> None:
    """Fix the environment files of each MODEL where a rule knows how, after showing the changes.

    Rules fix pins, missing entries and files, files that disagree, credentials, and unquoted Python
    versions. On a terminal the command asks before it writes; elsewhere it writes only with --yes.
    All files of a model are written, or none. The exit code is 1 when changes were not written.
    With --lock, a model that cannot be locked is reported, and the others are still fixed.
    """
    from envkit.validating.fixing import fix, write_proposal

    uris = (*models, *named)
    options.require_models(*uris)
    if sum((yes, only_diff, check)) > 1:
        raise click.UsageError("Use only one of --yes, --diff and --check.")
    may_ask = not (only_diff or check or as_json)
    facts: list[dict[str, object]] = []
    unwritten = False
    failure: EnvkitError | None = None
    for uri in uris:
        try:
            changes = fix(uri, select=select, ignore=ignore, lock=lock)
        except EnvkitError as error:
            # one model that no index can serve must not leave the others without a lock
            if not lock or len(uris) == 1:
                raise
            failure = failure or error
            output.note(f"{uri}: {error}")
            facts.append({"model": uri, "error": str(error)})
            continue
        if changes and not check and not as_json:
            output.print_text(changes.diff)
        if changes and (yes or (may_ask and _confirmed(uri))):
            changes = write_proposal(changes)
        unwritten = unwritten or bool(changes and not changes.written)
        output.note(_summary(uri, changes))
        facts.append(_facts(uri, changes))
    if as_json:
        output.print_json(facts)
    if failure is not None:
        sys.stdout.flush()
        sys.exit(failure.exit_code)
    if unwritten:
        sys.stdout.flush()
        sys.exit(1)


def _summary(uri: str, changes: Fix) -> str:
    if not changes:
        return f"{uri}: there is nothing to fix; `envkit validate` reports other findings."
    rules = ", ".join(changes.rules)
    if changes.written:
        return f"Changed {', '.join(sorted(changes.files))} in {changes.model} ({rules})."
    return f"{uri}: {output.counted(len(changes.files), 'file')} would be changed ({rules})."


def _facts(uri: str, changes: Fix) -> dict[str, object]:
    return {
        "model": uri,
        "files": sorted(changes.files),
        "rules": list(changes.rules),
        "written": changes.written,
        "diff": changes.diff,
    }


def _confirmed(uri: str) -> bool:
    """Ask the user, if there is a terminal."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(f"Change {uri}?", err=True)
