"""`envkit validate MODEL…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, output, progress

if TYPE_CHECKING:
    from envkit.validating.output import Output
    from envkit.validating.report import Report


@click.command()
@options.models
@click.option(
    "--format",
    "--output-format",
    "formats",
    metavar="FORMAT[=FILE]",
    multiple=True,
    help="text, json, sarif, junit, github or markdown, to a file or to standard output; may be "
    "repeated.  "
    "[default: text]",
)
@click.option(
    "--profile",
    metavar="NAME",
    help="Settings by name: default, strict, mlflow, or a file of yours.  [default: default]",
)
@click.option(
    "--select",
    metavar="RULE",
    multiple=True,
    callback=options.split_words,
    help="Check only these rules: codes, prefixes of codes, or names.",
)
@click.option(
    "--ignore",
    metavar="RULE",
    multiple=True,
    callback=options.split_words,
    help="Skip these rules.",
)
@click.option(
    "--severity",
    metavar="RULE=SEVERITY",
    multiple=True,
    callback=options.split_words,
    help="Change the severity of rules.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="The lowest severity that fails (exit code 1).  [default: the profile's]",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ignore findings listed in FILE.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="List all findings in FILE.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    metavar="N",
    help="The number of processes; 0 for one per core.  [default: 1]",
)
@click.option(
    "--scan",
    metavar="SCANNER",
    multiple=True,
    callback=options.split_words,
    help="Also scan pickles with picklescan or fickling.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Also fetch large files of remote models, to read and compare them.",
)
@click.option(
    "--resolve", is_flag=True, help="Also resolve the requirements against package indexes."
)
@click.option(
    "--target",
    metavar="PLATFORM[:PYTHON]",
    multiple=True,
    callback=options.split_words,
    help="A machine to resolve for: linux-x86_64:3.11, macos-arm64, windows; may be repeated; "
    "implies --resolve.  "
    "[default: the current platform and the model's Python]",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Also search for known vulnerabilities with pip-audit; implies --resolve.",
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Also build the environment, predict, and compare the answer with the recorded one.",
)
@click.option(
    "--minimal",
    is_flag=True,
    help="Also predict without each requirement in turn; implies --rebuild.",
)
@click.option(
    "--against",
    metavar="ENVIRONMENT",
    help="Also check whether the model would run there: `current`, an interpreter, the folder of "
    "an environment, or a "
    "lock.",
)
@click.option(
    "--rtol",
    metavar="[COLUMN=]NUMBER",
    multiple=True,
    help="The relative tolerance of answers.  [default: 0]",
)
@click.option(
    "--atol",
    metavar="[COLUMN=]NUMBER",
    multiple=True,
    help="The absolute tolerance of answers.  [default: 0]",
)
@options.env_manager
@options.target_python
@options.python_policy
@options.conda_exe
@options.variables
@options.allow_source
@options.timeout
@options.memory_limit
@options.sandbox
@click.option(
    "--config",
    "settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The settings file.  [default: the project's]",
)
@click.option(
    "--changed",
    is_flag=True,
    help="Take the words as changed files, and validate the models that contain them.",
)
@click.option(
    "--statistics", is_flag=True, help="Count findings and models by rule, in place of the text."
)
@click.option(
    "--summary",
    is_flag=True,
    help="Show the verdict and worst finding of each model, in place of the text.",
)
@click.option("--show-source", is_flag=True, help="Show the line of each finding that has one.")
@click.option("--list-rules", is_flag=True, help="List all rules.")
@options.json_output
@options.verbosity
def command(
    models: tuple[str, ...],
    named: tuple[str, ...],
    formats: tuple[str, ...],
    severity: tuple[str, ...],
    write_baseline: Path | None,
    rtol: tuple[str, ...],
    atol: tuple[str, ...],
    changed: bool,
    statistics: bool,
    summary: bool,
    show_source: bool,
    list_rules: bool,
    as_json: bool,
    **arguments: Any,
) -> None:
    """Check that each MODEL will run where it is deployed.

    By default only its files are read: no code of the model is run, nothing is installed, and no
    network is needed.
    --resolve queries package indexes, --rebuild and --minimal build its environment and run it,
      --against reads an
    existing environment. The exit code is 0 without findings, 1 with findings, 3 when a model does
    not exist.
    """
    from envkit.validating import output as reports
    from envkit.validating.changed_models import models_of
    from envkit.validating.reports import overview
    from envkit.validating.validate import validate

    if list_rules:
        _list_rules()
        return
    if changed:
        models = tuple(str(model) for model in models_of(models))
        if not (*models, *named):
            output.note("No file of a model changed.")
            return
    uris = (*models, *named)
    options.require_models(*uris)
    if write_baseline is not None and arguments["baseline"] is not None:
        raise click.UsageError("Use only one of --baseline and --write-baseline.")
    if as_json:
        formats = (*formats, "json")
    outputs = reports.outputs(formats or ["text"])
    if statistics or summary:
        outputs = _with_overview(outputs, has_formats=bool(formats))
    report = validate(
        uris,
        severity=dict(_severity(word) for word in severity),
        keep_going=True,
        rtol=_tolerances("--rtol", rtol),
        atol=_tolerances("--atol", atol),
        **arguments,
        report=progress.report(),
    )
    if statistics:
        _print_text(overview.render_statistics(report))
    if summary:
        _print_text(overview.render_summary(report))
    _write(report, outputs, has_overview=statistics or summary, source=show_source)
    if write_baseline is not None:
        _write_baseline(report, write_baseline)
    if report.exit_code and not (write_baseline is not None and not report.errors):
        sys.stdout.flush()
        sys.exit(report.exit_code)


def _with_overview(outputs: tuple[Output, ...], *, has_formats: bool) -> tuple[Output, ...]:
    """The reports besides a table on standard output, which takes the place of the text."""
    files = tuple(each for each in outputs if each.file is not None)
    if has_formats and len(files) < len(outputs):
        raise click.UsageError(
            "--statistics and --summary print tables; write other reports to files: FORMAT=FILE."
        )
    return files


def _write(
    report: Report, outputs: tuple[Output, ...], *, has_overview: bool, source: bool
) -> None:
    """Write the report in each format; errors are printed unless the text report has them."""
    from envkit.validating import output as reports
    from envkit.validating.reports import text as text_report

    has_text = has_overview
    for each in outputs:
        if each.file is not None:
            reports.write(report, each)
            output.note(f"Wrote {each.file}.")
        elif each.form == "text":
            colour = output.has_colour(sys.stdout)
            _print_text(text_report.render(report, colour=colour, source=source), colour=colour)
            has_text = True
        else:
            _print_text(reports.render(report, each.form))
    if not has_text:
        for error in report.errors:
            output.print_error(error)


def _print_text(text: str, *, colour: bool = False) -> None:
    """Print a report; a file name in it may hold bytes that are not text."""
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"), nl=False, color=colour)


def _write_baseline(report: Report, file: Path) -> None:
    from envkit.validating import baseline

    baseline.write(file, report)
    output.note(f"Wrote {output.counted(len(report.findings), 'finding')} to {file}.")


def _severity(word: str) -> tuple[str, str]:
    rule, separator, severity = word.partition("=")
    if not separator:
        raise click.UsageError(f"--severity takes RULE=SEVERITY, not {word}.")
    return rule, severity


def _tolerances(option: str, words: tuple[str, ...]) -> dict[str, float]:
    """Give the tolerance of each column: `1e-6` holds for all of them, `price=0.01` for one."""
    tolerances = {}
    for word in words:
        column, _, number = word.rpartition("=")
        try:
            tolerances[column] = float(number)
        except ValueError:
            message = f"{option} takes NUMBER or COLUMN=NUMBER, not {word}."
            raise click.UsageError(message) from None
    return tolerances


def _list_rules() -> None:
    from envkit.validating.rules import all_rules

    for rule in all_rules():
        severity = f"{rule.severity.value:7}"
        stage = f"{rule.stage.value:7}"
        click.echo(f"{rule.code}  {severity}  {stage}  {rule.name}: {rule.summary}.")
