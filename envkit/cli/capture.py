"""`envkit capture MODEL`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, progress
from envkit.errors import CaptureFailed

if TYPE_CHECKING:
    from envkit.capturing.outcome import Capture


@click.command()
@options.model
@options.python
@options.timeout
@options.memory
@options.variables
@options.sandbox
@click.option("--strict", is_flag=True, help="Refuse when anything could not be seen or recorded.")
@click.option(
    "--build-local/--no-build-local",
    default=True,
    show_default=True,
    help="Build wheels of what was installed from folders of this machine, which runs their build.",
)
@click.option(
    "--build-vcs",
    is_flag=True,
    help="Build wheels of what came from repositories elsewhere, too, so that a rebuild runs no build.",
)
@click.option(
    "--env-var",
    "include_variables",
    metavar="PATTERN",
    multiple=True,
    help="Record environment variables of these names whoever reads them; may be repeated.",
)
@click.option(
    "--ignore-env-var",
    "ignore_variables",
    metavar="PATTERN",
    multiple=True,
    help="Do not record environment variables of these names; may be repeated.",
)
@click.option(
    "--static", is_flag=True, help="Run nothing of the model; infer what it needs from its files."
)
@click.option(
    "--include-static",
    is_flag=True,
    help="Require also what code imports that the example did not reach.",
)
@click.option(
    "--slim",
    is_flag=True,
    help="Do not require MLflow where the model only is loaded by it or derives from it.",
)
@click.option(
    "--include-code",
    is_flag=True,
    help="Copy local modules that lie outside the model into its code/.",
)
@click.option(
    "--code-path",
    "code_paths",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The model may import modules from this folder while it is traced; may be given several times.",
)
@options.resolver
@click.option(
    "--drop-local-versions",
    is_flag=True,
    help="Pin 2.3.0 for 2.3.0+cpu, for targets whose indexes lack such builds.",
)
@click.option(
    "-o",
    "--output-path",
    "--output",
    "output_path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write into this folder, with a copy of the model; by default into the model's own.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be captured; write nothing.")
@options.json_output
@options.output
def command(
    model_uri: str,
    python: Path | None,
    timeout: float | None,
    memory_limit: int | None,
    variables: dict[str, str],
    sandbox: str | None,
    strict: bool,
    build_local: bool,
    build_vcs: bool,
    include_code: bool,
    code_paths: tuple[Path, ...],
    static: bool,
    include_static: bool,
    slim: bool,
    include_variables: tuple[str, ...],
    ignore_variables: tuple[str, ...],
    resolver: str | None,
    drop_local_versions: bool,
    output_path: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Trace one load and one prediction of MODEL and write the files that rebuild its environment.

    The model runs in a process of its own, in the environment of the chosen interpreter, and
    predicts on its input example. What it used is pinned and written into the model directory, all
    files or none. Capturing runs the model's code: do it with models that you trust.
    """
    from envkit.child.sandbox import confinement

    captured = _captured(
        as_json,
        model_uri,
        python=python,
        timeout=timeout,
        memory_bytes=memory_limit * 1_000_000 if memory_limit else None,
        extra_envs=variables,
        sandbox=confinement(sandbox, options.note),
        strict=strict,
        write=not dry_run,
        build_local=build_local,
        build_vcs=build_vcs,
        include_code=include_code,
        code_paths=code_paths,
        static=static,
        include_static=include_static,
        slim=slim,
        output_path=output_path,
        include_variables=include_variables,
        ignore_variables=ignore_variables,
        resolver=resolver,
        drop_local_versions=drop_local_versions,
        report=progress.report(only_verbose=True),
    )
    if as_json:
        click.echo(json.dumps(_as_json(captured), indent=2, ensure_ascii=False))
    else:
        _show(captured)


def _captured(as_json: bool, model_uri: str, **wishes: Any) -> Capture:
    """Capture; what a model did before it failed is printed with `--json`, and told of without."""
    from envkit.capturing.capture import capture

    try:
        return capture(model_uri, **wishes)
    except CaptureFailed as error:
        if as_json:
            told = {"error": str(error), "model": model_uri, "written": (), **(error.seen or {})}
            click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        elif error.seen is not None:
            used = ", ".join(error.seen["requirements"]) or "no distribution"
            options.note(
                f"Until it failed it had asked for {used}. `--json` prints all that was seen."
            )
            options.note(
                "Nothing was written. `--static` infers the requirements without running the model."
            )
        raise


def _show(captured: Capture) -> None:
    options.note(f"Python {captured.python}, {_count(captured.requirements, 'requirement')}:")
    if sys.stdout.isatty():
        _show_with_reasons(captured)
    else:
        for line in captured.requirements:
            click.echo(line)
    options.note(f"and {_count(captured.constraints, 'constraint')} that they imply.")
    if captured.variables:
        options.note(f"It reads the environment variables {', '.join(captured.variables)}.")
    for warning in captured.warnings:
        options.note(f"{click.style('Note:', fg='yellow', bold=True)} {warning}.")
    if captured.written:
        options.note(f"Wrote {', '.join(captured.written)} in {captured.model}.")


def _show_with_reasons(captured: Capture) -> None:
    from rich.console import Console  # 60 ms that a pipeline does not need
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for each in captured.evidence["distributions"]:
        if each["role"] == "requirement":
            table.add_row(each["requirement"], _because(each["reasons"]), style=None)
    Console(highlight=False).print(table)


def _because(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Say the first reason in words; the model's own code is the best one there is."""
    if not reasons:
        return ""
    from envkit.models.evidence.why import in_words

    first = min(reasons, key=lambda each: each["by"] == "artifact")
    return in_words(first)


def _count(lines: tuple[str, ...], noun: str) -> str:
    return f"{len(lines)} {noun}" + ("" if len(lines) == 1 else "s")


def _as_json(captured: Capture) -> dict[str, object]:
    return {
        "model": str(captured.model),
        "python": captured.python,
        "requirements": captured.requirements,
        "constraints": captured.constraints,
        "environment_variables": captured.variables,
        "degradations": [each.as_json() for each in captured.warnings],
        "sandbox": captured.evidence["sandbox"],
        "prediction": captured.prediction,
        "written": captured.written,
        "evidence": captured.evidence,
    }
