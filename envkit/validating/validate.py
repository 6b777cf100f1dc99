"""Validate models: gather the facts of each, ask the rules, and put one report together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from envkit.child.process_pool import in_processes
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.errors import (
    InvalidArgument,
    InvalidFile,
    InvalidInput,
    ModelNotFound,
    PathOutsideModel,
)
from envkit.formats import mlmodel
from envkit.models.directory import ModelDirectory
from envkit.models.uris.naming import shown
from envkit.validating import baseline as baselines
from envkit.validating import settings as project
from envkit.validating.files import unfetched
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import ALWAYS, Finding, Severity, Stage
from envkit.validating.options import Demands, Tolerance
from envkit.validating.report import ModelResult, Report
from envkit.validating.selection import Selection
from envkit.validating.settings import Settings
from envkit.validating.stages.scanners import named as scanners_named


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What is asked of a validation; see `validate`."""

    selection: Selection = field(default_factory=Selection)
    fail_on: Severity = Severity.WARNING
    baseline: Path | None = None
    jobs: int = 1
    scan: tuple[str, ...] = ()
    demands: Demands = field(default_factory=Demands)


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
    whole: bool = False,
    resolve: bool = False,
    target: str | Iterable[str] = (),
    audit: bool = False,
    rebuild: bool = False,
    minimal: bool = False,
    against: str | Path | None = None,
    rtol: float | Mapping[str, float] | None = None,
    atol: float | Mapping[str, float] | None = None,
    env_manager: str = "uv",
    allow_source: bool = False,
    python: str | Path | None = None,
    python_policy: str = "minor",
    conda_exe: str | Path | None = None,
    extra_envs: Mapping[str, str] | None = None,
    timeout: float | None = None,
    memory_bytes: int | None = None,
    sandbox: str | bool | None = None,
    report: Callable[[str], None] | None = None,
) -> Report:
    """Say whether models will run where they are taken; by default from their files alone: nothing of them is run.

    models: one model or several, directories or `file:` URIs. select, ignore: rules by code,
    beginning of a code, or name. severity: rule → `error`, `warning` or `note`. fail_on: the least
    severity that makes `Report.ok` false, default `warning`. baseline: a file of known findings,
    which are left out. jobs: processes, 0 for one a core; with more than one a script needs the
    guard `if __name__ == "__main__":`. scan: deeper scanners of pickles, `picklescan` or
    `fickling`. settings: the file with the project's settings, default the nearest upward from the
    working directory; what is given here is added to `ignore`, and else takes its place.
    keep_going: tell models that are not there in the report in place of raising. whole: fetch large
    files of models elsewhere, too, which else are told in a note and held against the capture by
    their sizes alone; scan and rebuild always do.

    resolve: ask package indexes, for each target (`linux-x86_64:3.11`; see `targets.parse`; default
    this platform and the model's Python); a target, and audit, which asks for known
    vulnerabilities, imply it. rebuild: build the environment and compare the answer to the example
    with the recorded one, within rtol and atol (a number, or by column with "" for all others).
    minimal: leave out each requirement in turn; implies rebuild. against: say whether the model
    would run in an environment that is there (see `fitting.fit`). What follows is as for
    `envkit.predict`. report: is told what takes time, where there is one process.

    Raises `ModelNotFound`, `InvalidArgument` for a rule, severity or scanner that does not exist,
    `InvalidFile` for malformed settings or baseline, `ToolNotFound` for a scanner that is not
    installed. What is malformed inside a model is a finding.
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
    if settings is None:
        found = project.find(Path.cwd())
    else:
        found = project.read(Path(settings))
    named = [models] if isinstance(models, str | Path) else list(models)
    demands = Demands(
        stages=_stages(
            resolve=bool(resolve or target or audit),
            rebuild=rebuild,
            minimal=minimal,
            against=against,
        ),
        targets=((target,) if isinstance(target, str) else tuple(target)) or found.target,
        whole=whole,
        audit=audit,
        against=str(against or ""),
        tolerance=_tolerance(found, rtol, atol),
        choice=EnvironmentChoice.from_arguments(
            env_manager,
            allow_source=allow_source,
            python=python,
            python_policy=python_policy,
            conda_exe=conda_exe,
        ),
        variables=dict(extra_envs or {}),
        timeout=timeout,
        memory_bytes=memory_bytes,
        sandbox=sandbox,
        report=report,
    )
    return run(named, _wishes(given, found, demands), keep_going=keep_going)


def run(models: Sequence[str | Path], wishes: Wishes, *, keep_going: bool) -> Report:
    """Validate models as wished. Raises as `validate`."""
    if not models:
        raise InvalidArgument("Name at least one model.")
    wishes.selection.check()
    scanners_named(wishes.scan)
    _check(wishes.demands)
    if wishes.baseline is not None:
        known = baselines.read(wishes.baseline)
    else:
        known = None
    if (wishes.jobs or 2) > 1 and len(models) > 1:  # a function cannot be sent to another process
        wishes = replace(wishes, demands=replace(wishes.demands, report=None))
    examine = partial(_examine, wishes=wishes, keep_going=keep_going)
    results = in_processes(examine, [str(each) for each in models], wishes.jobs)
    if known is not None:
        results = [known.without_known(each) for each in results]
    return Report(results=tuple(results), rules=wishes.selection.rules, fail_on=wishes.fail_on)


def facts_of(
    uri: str | Path, scan: tuple[str, ...] = (), demands: Demands | None = None
) -> ModelFacts:
    """Give the facts of the model that a path or URI names, whatever is wrong in it.

    Raises `ModelNotFound` when there is neither a directory with an `MLmodel` nor an artifact,
    `InvalidArgument` for another kind of URI.
    """
    place, elsewhere = unfetched.place_of(uri, demands or Demands(), scan)
    try:
        found = ModelDirectory.open(place)
        bare = found if found.artifact is not None else None
        return ModelFacts(found.path, scan=scan, bare=bare, demands=demands, elsewhere=elsewhere)
    except PathOutsideModel as error:
        path = _model_of(Path(error.path))
    except InvalidFile as error:
        path = _model_of(Path(error.path))
    return ModelFacts(path, scan=scan, demands=demands, elsewhere=elsewhere)


def _model_of(path: Path) -> Path:
    if path.name == mlmodel.FILE_NAME:
        return path.parent
    return path


def _examine(uri: str, *, wishes: Wishes, keep_going: bool) -> ModelResult:
    began = time.perf_counter()
    try:
        facts = facts_of(uri, wishes.scan, wishes.demands)
    except (ModelNotFound, InvalidInput, InvalidArgument) as error:
        if not keep_going or isinstance(error, InvalidArgument):
            raise
        return ModelResult(model=shown(uri), error=str(error))
    found = tuple(_findings(facts, wishes.selection))
    notes = tuple(_notes(facts))
    seconds = time.perf_counter() - began
    return ModelResult(
        model=shown(uri), path=str(facts.path), findings=found, notes=notes, seconds=seconds
    )


def _notes(facts: ModelFacts) -> Iterator[str]:
    """What the later stages did, and how long it took."""
    stages = facts.demands.stages
    if facts.elsewhere:
        yield unfetched.told(facts.elsewhere)
    if Stage.RESOLVE in stages:
        answered = [each for each in facts.resolutions if each.unread is None and not each.unasked]
        if answered:
            yield f"resolved for {'; '.join(each.place.label for each in answered)}"
    if Stage.REBUILD in stages:
        yield from facts.rebuilt.notes
        if (
            facts.rebuilt.answered
            and facts.recorded_answer is not None
            and not facts.answer_differences
        ):
            if facts.demands.tolerance:
                within = " within the tolerance"
            else:
                within = ""
            yield f"rebuilt in {facts.rebuilt.seconds:.1f} s: the answer is the recorded one{within}"
    if Stage.MINIMAL in stages and facts.minimal.trials:
        count = len(facts.minimal.trials)
        yield f"left out each of {count} requirements in {facts.minimal.seconds:.1f} s"


def _check(demands: Demands) -> None:
    """Raise `InvalidArgument` or `ToolNotFound` for what could not be done with any model, before much is begun."""
    if Stage.RESOLVE in demands.stages:
        from envkit.validating.stages import targets

        for word in demands.targets:
            targets.parse(word, "3")
    if demands.audit:
        from envkit.validating.stages import audit as auditing

        auditing.require()
    if Stage.MINIMAL in demands.stages:
        from envkit.validating.stages import minimal as minimizing

        minimizing.check_manager(demands.choice.manager)
    if Stage.AGAINST in demands.stages:
        from envkit.validating.stages import snapshot

        snapshot.take(demands.against)


def _findings(facts: ModelFacts, selection: Selection) -> list[Finding]:
    found = [selection.judged(each, rule) for rule in selection.rules for each in rule.check(facts)]
    return sorted(
        dict.fromkeys(found), key=lambda each: (each.file == "", each.file, each.line, each.rule)
    )


def _stages(*, resolve: bool, rebuild: bool, minimal: bool, against: object) -> frozenset[Stage]:
    wanted = {
        Stage.RESOLVE: resolve,
        Stage.REBUILD: rebuild or minimal,
        Stage.MINIMAL: minimal,
        Stage.AGAINST: against is not None,
    }
    return ALWAYS | {stage for stage, is_wanted in wanted.items() if is_wanted}


def _tolerance(
    found: Settings,
    rtol: float | Mapping[str, float] | None,
    atol: float | Mapping[str, float] | None,
) -> Tolerance:
    relative, absolute = (
        _by_column(given, usual) for given, usual in ((rtol, found.rtol), (atol, found.atol))
    )
    columns = (relative.keys() | absolute.keys()) - {""}
    return Tolerance(
        relative=relative[""],
        absolute=absolute[""],
        of_columns={
            each: (relative.get(each, relative[""]), absolute.get(each, absolute[""]))
            for each in columns
        },
    )


def _by_column(given: float | Mapping[str, float] | None, usual: float | None) -> dict[str, float]:
    if isinstance(given, Mapping):
        named = dict(given)
    elif given is None:
        named = {}
    else:
        named = {"": given}
    wrong = next((each for each in named.values() if not 0 <= each < float("inf")), None)
    if wrong is not None:
        raise InvalidArgument(f"A tolerance is a number from 0, not {wrong}.")
    return {"": usual or 0.0, **named}


def _wishes(given: Settings, found: Settings, demands: Demands) -> Wishes:
    selection = Selection(
        select=given.select or found.select,
        ignore=(*found.ignore, *given.ignore),
        severities={**found.severity, **given.severity},
        stages=demands.stages,
    )
    wishes = Wishes(
        selection=selection,
        fail_on=given.fail_on or found.fail_on or Severity.WARNING,
        baseline=given.baseline or found.baseline,
        scan=given.scan or found.scan,
        demands=demands,
    )
    jobs = given.jobs if given.jobs is not None else found.jobs
    if jobs is None:
        return wishes
    return replace(wishes, jobs=jobs)


def _severity(word: str) -> Severity:
    try:
        return Severity(word)
    except ValueError:
        raise InvalidArgument(
            f"'{word}' is no severity; there are {', '.join(Severity)}."
        ) from None
