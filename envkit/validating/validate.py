"""Validate models: gather the facts of each, ask the rules, and put one report together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from envkit.child.pool import in_processes
from envkit.errors import InvalidArgument, InvalidFile, InvalidInput, ModelNotFound, PathOutsideModel
from envkit.formats import mlmodel
from envkit.models.directory import ModelDirectory
from envkit.validating import baseline as baselines
from envkit.validating import settings as project
from envkit.validating.facts import ModelFacts
from envkit.validating.finding import Finding, Severity
from envkit.validating.report import ModelResult, Report
from envkit.validating.scanners import named as scanners_named
from envkit.validating.selection import Selection
from envkit.validating.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What is asked of a validation; see `validate`."""

    selection: Selection = field(default_factory=Selection)
    fail_on: Severity = Severity.WARNING
    baseline: Path | None = None
    jobs: int = 1
    scan: tuple[str, ...] = ()


def validate(
    models: str | Path | Sequence[str | Path],
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    severity: Mapping[str, str] | None = None,
    fail_on: str | None = None,
    baseline: str | Path | None = None,
    jobs: int | None = None,
    scan: Iterable[str] = (),
    settings: str | Path | None = None,
    keep_going: bool = False,
) -> Report:
    """Say whether models will run where they are taken, from their files alone: nothing of them is run.

    models: one model or several, directories or `file:` URIs. select, ignore: rules by code, beginning of a code, or
    name. severity: rule → `error`, `warning` or `note`. fail_on: the least severity that makes `Report.ok` false,
    default `warning`. baseline: a file of known findings, which are left out. jobs: processes, 0 for one a core; with
    more than one a script needs the guard `if __name__ == "__main__":`. scan: deeper scanners of pickles, `picklescan`
    or `fickling`. settings: the file with the project's settings, default the nearest upward from the working
    directory; what is given here is added to `ignore`, and else takes its place. keep_going: tell models that are not
    there in the report in place of raising.

    Raises `ModelNotFound`, `InvalidArgument` for a rule, severity or scanner that does not exist, `InvalidFile` for
    malformed settings or baseline, `ToolNotFound` for a scanner that is not installed. What is malformed inside a
    model is a finding.
    """
    given = Settings(
        select=tuple(select),
        ignore=tuple(ignore),
        severity={rule: _severity(word) for rule, word in (severity or {}).items()},
        fail_on=None if fail_on is None else _severity(fail_on),
        baseline=None if baseline is None else Path(baseline),
        jobs=jobs,
        scan=tuple(scan),
    )
    found = project.find(Path.cwd()) if settings is None else project.read(Path(settings))
    named = [models] if isinstance(models, str | Path) else list(models)
    return run(named, _wishes(given, found), keep_going=keep_going)


def run(models: Sequence[str | Path], wishes: Wishes, *, keep_going: bool) -> Report:
    """Validate models as wished. Raises as `validate`."""
    if not models:
        raise InvalidArgument("Name at least one model.")
    wishes.selection.check()
    scanners_named(wishes.scan)
    known = baselines.read(wishes.baseline) if wishes.baseline is not None else None
    examine = partial(_examine, wishes=wishes, keep_going=keep_going)
    results = in_processes(examine, [str(each) for each in models], wishes.jobs)
    if known is not None:
        results = [known.without_known(each) for each in results]
    return Report(results=tuple(results), rules=wishes.selection.rules, fail_on=wishes.fail_on)


def facts_of(uri: str | Path, scan: tuple[str, ...] = ()) -> ModelFacts:
    """Give the facts of the model that a path or URI names, whatever is wrong in it.

    Raises `ModelNotFound` when there is neither a directory with an `MLmodel` nor an artifact, `InvalidArgument` for
    another kind of URI.
    """
    try:
        found = ModelDirectory.open(uri)
        return ModelFacts(found.path, scan=scan, bare=found if found.artifact is not None else None)
    except PathOutsideModel as error:
        path = _model_of(Path(error.path))
    except InvalidFile as error:
        path = _model_of(Path(error.path))
    return ModelFacts(path, scan=scan)


def _model_of(path: Path) -> Path:
    return path.parent if path.name == mlmodel.FILE_NAME and not path.is_dir() else path


def _examine(uri: str, *, wishes: Wishes, keep_going: bool) -> ModelResult:
    began = time.perf_counter()
    try:
        facts = facts_of(uri, wishes.scan)
    except (ModelNotFound, InvalidInput, InvalidArgument) as error:
        if not keep_going or isinstance(error, InvalidArgument):
            raise
        return ModelResult(model=uri, error=str(error))
    found = tuple(_findings(facts, wishes.selection))
    return ModelResult(model=uri, path=str(facts.path), findings=found, seconds=time.perf_counter() - began)


def _findings(facts: ModelFacts, selection: Selection) -> list[Finding]:
    found = [selection.judged(each, rule) for rule in selection.rules for each in rule.check(facts)]
    return sorted(dict.fromkeys(found), key=lambda each: (each.file == "", each.file, each.line, each.rule))


def _wishes(given: Settings, found: Settings) -> Wishes:
    selection = Selection(
        select=given.select or found.select,
        ignore=(*found.ignore, *given.ignore),
        severities={**found.severity, **given.severity},
    )
    wishes = Wishes(
        selection=selection,
        fail_on=given.fail_on or found.fail_on or Severity.WARNING,
        baseline=given.baseline or found.baseline,
        scan=given.scan or found.scan,
    )
    jobs = given.jobs if given.jobs is not None else found.jobs
    return wishes if jobs is None else replace(wishes, jobs=jobs)


def _severity(word: str) -> Severity:
    try:
        return Severity(word)
    except ValueError:
        raise InvalidArgument(f"'{word}' is no severity; there are {', '.join(Severity)}.") from None
