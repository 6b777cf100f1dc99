"""`envkit.validate`: group arguments into options, examine each model, put one report together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from envkit.child.process_pool import in_processes
from envkit.child.progress import Advance, State, step
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.errors import InvalidArgument, InvalidInput
from envkit.models.uris.naming import shown
from envkit.validating import baseline as baselines
from envkit.validating import project_settings
from envkit.validating.examination import examine
from envkit.validating.finding import ALWAYS, Severity, Stage
from envkit.validating.options import RunOptions, StageOptions, Tolerance
from envkit.validating.profile import with_profile
from envkit.validating.report import ModelResult, Report
from envkit.validating.selection import Selection, any_names
from envkit.validating.stages import scanners

COUNTED = 200  # times that the counter moves


def validate(
    models: str | Path | Sequence[str | Path],
    *,
    profile: str | None = None,
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
    """Check that models will run where they are deployed; by default without running them.

    What is malformed inside a model is a finding, not an exception.

    Args:
        models: One model or several: directories, bare artifacts or URIs.
        profile: `default`, `strict`, `mlflow`, or one of the user's, by name or path; what the
            other arguments and the settings say takes precedence.
        select: Run only these rules: codes, beginnings of codes, or names.
        ignore: Skip these rules, in addition to those that the settings ignore.
        severity: Other severities: rule → `error`, `warning` or `note`.
        fail_on: The lowest severity that makes `Report.ok` false; default that of the profile.
        baseline: A file of known findings, which are left out.
        jobs: Processes; 0 for one a core. A script that uses more than one needs the guard
            `if __name__ == "__main__":`.
        scan: Deeper scanners of pickles: `picklescan`, `fickling`.
        settings: The project's settings; default the nearest file upward from the working
            directory. Arguments take precedence.
        keep_going: Report models that do not exist instead of raising.
        whole: Fetch large files of remote models too; without it, they are compared with the
            capture by their sizes only. `scan` and `rebuild` always fetch them.
        resolve: Ask package indexes for each target.
        target: Machines to resolve for, such as `linux-x86_64:3.11`; default this platform and the
            model's Python. Implies `resolve`.
        audit: Look up known vulnerabilities. Implies `resolve`.
        rebuild: Build the environment and compare the answer to the example with the recorded one.
        minimal: Leave out each requirement in turn. Implies `rebuild`.
        against: Compare with an existing environment: `current`, an interpreter, the folder of an
            environment, a lock or a list of requirements.
        rtol: Relative tolerance of answers: a number, or numbers by column with "" for all others.
        atol: Absolute tolerance of answers, in the same form.
        env_manager: What builds the environment; this and what follows as for `envkit.predict`.
        allow_source: Let packages without a wheel be built, which runs their code.
        python: The interpreter to build with.
        python_policy: Which other Python may stand in: `exact`, `minor` or `compatible`.
        conda_exe: The program that builds conda environments.
        extra_envs: Environment variables for the model.
        timeout: Seconds that the model may take.
        memory_bytes: Address space that the model may take.
        sandbox: Confine the model: True, `"bubblewrap"` or `"limits"`.
        report: Called with a line of text before what takes long, if there is one process.

    Returns:
        The findings of all models, with a verdict.

    Raises:
        ModelNotFound: A model does not exist.
        InvalidArgument: A rule, severity, scanner, target or another argument is invalid.
        InvalidFile: The settings or the baseline are malformed.
        ToolNotFound: A scanner, pip-audit or a tool that builds environments is not installed.
    """
    if settings is None:
        project = project_settings.find(Path.cwd())
    else:
        project = project_settings.read(Path(settings))
    project = with_profile(project, profile)
    targets = (target,) if isinstance(target, str) else tuple(target)
    stages = {
        Stage.RESOLVE: resolve or bool(targets) or audit,
        Stage.REBUILD: rebuild or minimal,
        Stage.MINIMAL: minimal,
        Stage.AGAINST: against is not None,
    }
    options = StageOptions(
        stages=ALWAYS.union(stage for stage, is_requested in stages.items() if is_requested),
        fetch_all=whole,
        scanners=tuple(scan) or project.scanners,
        targets=targets or project.targets,
        audit=audit,
        against=str(against or ""),
        tolerance=_tolerance(_by_column(rtol, project.rtol), _by_column(atol, project.atol)),
        run=RunOptions(
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
        ),
        progress=report,
    )
    severities = {rule: _severity(word) for rule, word in (severity or {}).items()}
    selection = Selection(
        select=tuple(select) or project.select,
        ignore=(*project.ignore, *ignore),
        severities={**project.severities, **severities},
        stages=options.stages,
    )
    if jobs is None:
        jobs = 1 if project.jobs is None else project.jobs
    batch = _Batch(
        selection=selection,
        options=options,
        fail_on=_severity(fail_on or project.fail_on or Severity.WARNING),
        once=project.once or (),
        baseline=Path(baseline) if baseline else project.baseline,
        jobs=jobs,
        keep_going=keep_going,
    )
    return batch.run([models] if isinstance(models, str | Path) else list(models))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """The arguments of `validate`, grouped. baseline: a file. once: words that name rules."""

    selection: Selection
    options: StageOptions
    fail_on: Severity
    once: tuple[str, ...]
    baseline: Path | None
    jobs: int
    keep_going: bool

    def run(self, models: Sequence[str | Path]) -> Report:
        """Examine models. Raises as `validate`."""
        if not models:
            raise InvalidArgument("Name at least one model.")
        self.selection.check()
        _check(self.options)
        known = None if self.baseline is None else baselines.read(self.baseline)
        options = self.options
        # a function cannot be sent to another process
        if self.jobs != 1 and len(models) > 1:
            options = replace(options, progress=None)
        examine_one = partial(
            _result, selection=self.selection, options=options, keep_going=self.keep_going
        )
        # later stages show steps of their own
        counter = self.options.progress if self.options.stages <= ALWAYS else None
        count = len(models)
        with step(counter if count > 1 else None, "Validating") as advance:
            results = in_processes(
                examine_one,
                [str(model) for model in models],
                self.jobs,
                lambda done: _count(advance, done, count),
            )
        if known is not None:
            results = [known.without_known(result) for result in results]
        rules = self.selection.rules
        return Report(
            results=tuple(results),
            rules=rules,
            fail_on=self.fail_on,
            once=frozenset(rule.code for rule in rules if any_names(self.once, rule)),
        )


def _count(advance: Advance, done: int, count: int) -> None:
    """Show how many models are done, a few hundred times at most."""
    if done % max(1, count // COUNTED) == 0:
        advance(State(what=f"Validated {done} of {count} models"))


def _result(
    uri: str, *, selection: Selection, options: StageOptions, keep_going: bool
) -> ModelResult:
    began = time.perf_counter()
    try:
        examination = examine(uri, options)
    except InvalidInput as error:
        if not keep_going:
            raise
        return ModelResult(model=shown(uri), error=str(error))
    findings = tuple(examination.findings(selection))
    notes = tuple(examination.notes())
    return ModelResult(
        model=shown(uri),
        path=str(examination.facts.path),
        findings=findings,
        notes=notes,
        seconds=time.perf_counter() - began,
    )


def _check(options: StageOptions) -> None:
    """Raise `InvalidArgument` or `ToolNotFound` for what cannot be done with any model."""
    scanners.named(options.scanners)
    # Each stage is imported only if it was requested: together they need 200 ms.
    if Stage.RESOLVE in options.stages:
        from envkit.validating.stages import targets

        for target in options.targets:
            targets.parse(target, "3")
    if options.audit:
        from envkit.validating.stages import audit

        audit.require()
    if Stage.MINIMAL in options.stages:
        from envkit.validating.stages import minimal

        minimal.check_manager(options.run.choice.manager)
    if Stage.AGAINST in options.stages:
        from envkit.validating.stages import snapshot

        snapshot.take(options.against)


def _tolerance(relative: Mapping[str, float], absolute: Mapping[str, float]) -> Tolerance:
    columns = (relative.keys() | absolute.keys()) - {""}
    return Tolerance(
        relative=relative[""],
        absolute=absolute[""],
        of_columns={
            column: (relative.get(column, relative[""]), absolute.get(column, absolute[""]))
            for column in columns
        },
    )


def _by_column(
    argument: float | Mapping[str, float] | None, setting: float | None
) -> dict[str, float]:
    """Give tolerances by column, with "" for all others."""
    tolerances = {"": setting or 0.0}
    if isinstance(argument, Mapping):
        tolerances.update(argument)
    elif argument is not None:
        tolerances[""] = argument
    for tolerance in tolerances.values():
        if not 0 <= tolerance < float("inf"):
            raise InvalidArgument(f"A tolerance is a number from 0, not {tolerance}.")
    return tolerances


def _severity(word: str) -> Severity:
    try:
        return Severity(word)
    except ValueError:
        raise InvalidArgument(f"'{word}' is not a severity; use {', '.join(Severity)}.") from None
