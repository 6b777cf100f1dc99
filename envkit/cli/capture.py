"""`envkit capture MODEL`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, output, progress
from envkit.errors import CaptureFailed

if TYPE_CHECKING:
    from envkit.capturing.outcome import Capture


@click.command()
@options.model
@options.python
@options.timeout
@options.memory_limit
@options.variables
@options.sandbox
@click.option("--strict", is_flag=True, help="Fail if there are warnings; nothing is written then.")
@click.option(
    "--build-local/--no-build-local",
    default=True,
    show_default=True,
    help="Build wheels of packages that were installed from local folders, which runs their build "
    "code.",
)
@click.option(
    "--build-vcs",
    is_flag=True,
    help="Also build wheels of packages from remote repositories, so that a rebuild runs no build "
    "code.",
)
@click.option(
    "--env-var",
    "include_variables",
    metavar="PATTERN",
    multiple=True,
    help="Record environment variables with these names, whatever reads them; may be repeated.",
)
@click.option(
    "--ignore-env-var",
    "ignore_variables",
    metavar="PATTERN",
    multiple=True,
    help="Do not record environment variables with these names; may be repeated.",
)
@click.option(
    "--static",
    is_flag=True,
    help="Run no code of the model; infer the requirements from its files.",
)
@click.option(
    "--include-static",
    is_flag=True,
    help="Also require the imports of code that the example did not reach.",
)
@click.option(
    "--slim",
    is_flag=True,
    help="Do not require MLflow if it only loads the model or provides its base class.",
)
@click.option(
    "--include-code",
    is_flag=True,
    help="Copy local modules from outside the model into its code/.",
)
@click.option(
    "--code-path",
    "code_paths",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder whose modules the model may import while it is traced; may be repeated.",
)
@options.resolver
@click.option(
    "--drop-local-versions",
    is_flag=True,
    help="Pin 2.3.0 for 2.3.0+cpu, for indexes that lack such builds.",
)
@click.option(
    "-o",
    "--output-path",
    "--output",
    "output_path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder for the files and a copy of the model.  [default: the model's own folder]",
)
@click.option("--dry-run", is_flag=True, help="Print the result and write nothing.")
@options.json_output
@options.verbosity
def command(
    model_uri: str,
    python: Path | None,
    sandbox: str | None,
    dry_run: bool,
    as_json: bool,
    **arguments: Any,
) -> None:
    """Trace one load and one prediction of MODEL and write the files that rebuild its environment.

    The model runs in a process of its own, in the environment of the chosen interpreter, and
    predicts on its input example. What it used is pinned and written into the model directory, all
    files or none. Capturing runs the model's code: capture only models that you trust.
    """
    from envkit.capturing.capture import capture
    from envkit.child.sandbox import confinement

    try:
        captured = capture(
            model_uri,
            python=python or _default_python(),
            sandbox=confinement(sandbox, output.note),
            write=not dry_run,
            **arguments,
            report=progress.report(only_verbose=True),
        )
    except CaptureFailed as error:
        _show_failure(error, model_uri, as_json=as_json)
        raise
    if as_json:
        output.print_json(_as_json(captured))
    else:
        _show(captured)


def _default_python() -> Path:
    """Choose the interpreter when none is named, and say which it is."""
    from envkit.interpreters.program import active_environment

    program = active_environment()
    if program is None:
        program = Path(sys.executable)
        output.note(f"Using {program}, which runs envkit. `--python` names another interpreter.")
    else:
        output.note(f"Using {program} of the active virtual environment.")
    return program


def _show_failure(error: CaptureFailed, model_uri: str, *, as_json: bool) -> None:
    """Print what the model used before it failed."""
    if as_json:
        seen = error.seen or {}
        output.print_json({"error": str(error), "model": model_uri, "written": (), **seen})
    elif error.seen is not None:
        used = ", ".join(error.seen["requirements"]) or "no distribution"
        output.note(f"Before it failed, it used {used}. `--json` prints everything recorded.")
        output.note(
            "Nothing was written. `--static` infers the requirements without running the model."
        )


def _show(captured: Capture) -> None:
    requirements = output.counted(len(captured.requirements), "requirement")
    output.note(f"Python {captured.python}, {requirements}:")
    if sys.stdout.isatty():
        _show_with_reasons(captured)
    else:
        for line in captured.requirements:
            output.print_line(line)
    constraints = output.counted(len(captured.constraints), "constraint")
    output.note(f"and {constraints} for their dependencies.")
    if captured.variables:
        names = ", ".join(captured.variables)
        output.note(f"The model reads the environment variables {names}.")
    for warning in captured.warnings:
        label = click.style("Warning: ", fg="yellow", bold=True)
        output.note(f"{warning}.", label=label)
    if captured.written:
        output.note(f"Wrote {', '.join(captured.written)} in {captured.model}.")


def _show_with_reasons(captured: Capture) -> None:
    from rich.console import Console  # 60 ms that a pipeline does not need
    from rich.table import Table

    from envkit.formats.text import printable

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for distribution in captured.evidence["distributions"]:
        if distribution["role"] == "requirement":
            cells = (distribution["requirement"], _first_reason(distribution["reasons"]))
            table.add_row(*map(printable, cells))
    Console(highlight=False).print(table)


def _first_reason(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Describe the best reason: an import in code rather than a name in a pickle."""
    if not reasons:
        return ""
    from envkit.models.evidence.why import in_words

    return in_words(min(reasons, key=lambda reason: reason["by"] == "artifact"))


def _as_json(captured: Capture) -> dict[str, object]:
    return {
        "model": str(captured.model),
        "python": captured.python,
        "requirements": captured.requirements,
        "constraints": captured.constraints,
        "environment_variables": captured.variables,
        "degradations": [warning.as_json() for warning in captured.warnings],
        "sandbox": captured.evidence["sandbox"],
        "prediction": captured.prediction,
        "written": captured.written,
        "evidence": captured.evidence,
    }
