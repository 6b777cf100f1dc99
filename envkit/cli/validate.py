"""`envkit validate MODEL…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, progress

if TYPE_CHECKING:
    from envkit.validating.output import Output
    from envkit.validating.report import Report


def words(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`--select A,B --select C` names three."""
    return tuple(word for each in given for word in each.replace(",", " ").split())


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1)
@click.option(
    "-m", "--model-uri", "named", metavar="URI", multiple=True, help="A model; the same as MODEL."
)
@click.option(
    "--format",
    "--output-format",
    "formats",
    metavar="FORMAT[=FILE]",
    multiple=True,
    help="text, json, sarif, junit, github or markdown; into a file, else to standard output. May be given several "
    "times.  [default: text]",
)
@click.option(
    "--select",
    metavar="RULE",
    multiple=True,
    callback=words,
    help="Only these: codes, beginnings, names.",
)
@click.option("--ignore", metavar="RULE", multiple=True, callback=words, help="Not these.")
@click.option(
    "--severity",
    metavar="RULE=SEVERITY",
    multiple=True,
    callback=words,
    help="Another severity for rules.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="What ends with 1.  [default: warning]",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Leave out what this file knows.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write all findings to it.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    metavar="N",
    help="Processes; 0: one a core.  [default: 1]",
)
@click.option(
    "--scan",
    metavar="SCANNER",
    multiple=True,
    callback=words,
    help="Also ask picklescan or fickling.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Fetch large files of models elsewhere, too, to read and compare them.",
)
@click.option(
    "--resolve", is_flag=True, help="Also ask package indexes: does it resolve, for each target?"
)
@click.option(
    "--target",
    metavar="PLATFORM[:PYTHON]",
    multiple=True,
    callback=words,
    help="For which machines to resolve, as in linux-x86_64:3.11, macos-arm64, windows; may be given several times; "
    "implies --resolve.  [default: this platform and the model's Python]",
)
@click.option(
    "--audit", is_flag=True, help="Also ask pip-audit for known vulnerabilities; implies --resolve."
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Also build the environment, and compare the answer with the recorded.",
)
@click.option(
    "--minimal", is_flag=True, help="Also leave out each requirement in turn; implies --rebuild."
)
@click.option(
    "--against",
    metavar="ENVIRONMENT",
    help="Also say whether the model would run there: current, an interpreter, the folder of an environment, a lock.",
)
@click.option(
    "--rtol",
    metavar="[COLUMN=]NUMBER",
    multiple=True,
    help="Relative tolerance of answers.  [default: 0]",
)
@click.option(
    "--atol",
    metavar="[COLUMN=]NUMBER",
    multiple=True,
    help="Absolute tolerance of answers.  [default: 0]",
)
@options.env_manager
@options.target_python
@options.python_policy
@options.conda_exe
@options.variables
@options.allow_source
@options.timeout
@options.memory
@options.sandbox
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings; else those of the project.",
)
@click.option(
    "--changed", is_flag=True, help="The words are files; validate the models that they belong to."
)
@click.option("--list-rules", is_flag=True, help="Show all rules and end.")
@options.json_output
@options.output
def command(
    models: tuple[str, ...],
    named: tuple[str, ...],
    formats: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: tuple[str, ...],
    fail_on: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    jobs: int | None,
    scan: tuple[str, ...],
    rtol: tuple[str, ...],
    atol: tuple[str, ...],
    variables: dict[str, str],
    memory_limit: int | None,
    config: Path | None,
    changed: bool,
    list_rules: bool,
    as_json: bool,
    **stages: Any,
) -> None:
    """Say whether each MODEL will run where it is taken.

    By default from its files alone: nothing of a model is run or installed, and no network is
    needed. --resolve asks package indexes, --rebuild and --minimal build its environment and run
    it, --against looks at an environment that is there. Ends with 0 when there are no findings, 1
    when there are, 3 when a model is not there.
    """
    from envkit.validating import output
    from envkit.validating.changed_models import models_of
    from envkit.validating.validate import validate

    if list_rules:
        _show_rules()
        return
    if changed:
        models = tuple(map(str, models_of(models)))
        if not (*models, *named):
            options.note("No file of a model changed.")
            return
    if not (*models, *named):
        raise click.UsageError("Name at least one model: as MODEL or with -m/--model-uri.")
    if write_baseline is not None and baseline is not None:
        raise click.UsageError("Give --baseline or --write-baseline, not both.")
    wanted = output.outputs([*formats, *(["json"] if as_json else [])] or ["text"])
    report = validate(
        [*models, *named],
        select=select,
        ignore=ignore,
        severity=dict(map(_pair, severity)),
        fail_on=fail_on,
        baseline=baseline,
        jobs=jobs,
        scan=scan,
        settings=config,
        keep_going=True,
        rtol=_tolerances("--rtol", rtol),
        atol=_tolerances("--atol", atol),
        extra_envs=variables,
        memory_bytes=memory_limit * 1_000_000 if memory_limit else None,
        report=progress.report(),
        **stages,
    )
    _tell(report, wanted, write_baseline)


def _tell(report: Report, wanted: tuple[Output, ...], baseline: Path | None) -> None:
    from envkit.validating import baseline as baselines
    from envkit.validating import output

    for each in wanted:
        if each.file is None:
            click.echo(
                output.render(report, each.form).encode("utf-8", "backslashreplace"), nl=False
            )
        else:
            output.write(report, each)
            options.note(f"Wrote {each.file}.")
    if baseline is not None:
        baselines.write(baseline, report)
        options.note(f"Wrote {len(report.findings)} findings to {baseline}.")
    told = any(each.file is None and each.form == "text" for each in wanted)
    for error in () if told else report.errors:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
    if report.exit_code and not (baseline is not None and not report.errors):
        sys.stdout.flush()
        sys.exit(report.exit_code)


def _pair(word: str) -> tuple[str, str]:
    rule, separator, severity = word.partition("=")
    if not separator:
        raise click.UsageError(f"--severity takes RULE=SEVERITY, not {word}.")
    return rule, severity


def _tolerances(option: str, words: tuple[str, ...]) -> dict[str, float]:
    """`1e-6` holds for all columns, `price=0.01` for one."""
    found = {}
    for word in words:
        column, _, number = word.rpartition("=")
        try:
            found[column] = float(number)
        except ValueError:
            raise click.UsageError(f"{option} takes NUMBER or COLUMN=NUMBER, not {word}.") from None
    return found


def _show_rules() -> None:
    from envkit.validating.rule import all_rules

    for rule in all_rules():
        click.echo(
            f"{rule.code}  {rule.severity.value:7}  {rule.stage.value:7}  {rule.name}: {rule.summary}."
        )
