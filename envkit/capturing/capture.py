"""Capture a model: trace it, decide what it needs, write that down. Nothing is written unless all of it worked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envkit.capturing import (
    builtin_names,
    closure,
    declared,
    evidence,
    files,
    local_code,
    local_origins,
    local_versions,
    local_wheels,
    native,
    output,
    outward,
    packagers,
    sboms,
    without_mlflow,
)
from envkit.capturing.declared import CondaEnv, Declared, Lines
from envkit.capturing.degradations import Degradation, Kind
from envkit.capturing.distributions import InstalledDistributions
from envkit.capturing.local_code import LocalCode
from envkit.capturing.local_wheels import LocalWheels
from envkit.capturing.lock import Locked, Unlocked, lock
from envkit.capturing.locking.resolvers import resolver_named
from envkit.capturing.packagers import CondaNeeds
from envkit.capturing.pins import pin
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection, select
from envkit.capturing.static import findings
from envkit.capturing.static.findings import Static
from envkit.capturing.trace import Trace
from envkit.capturing.tracing import Limits, trace_model
from envkit.capturing.variables import Variable, Wishes, classify
from envkit.child import environment, scratch
from envkit.child.progress import step
from envkit.child.sandbox import Wish, confinement
from envkit.errors import CaptureFailed, Degraded, InvalidArgument
from envkit.models import digests
from envkit.models.directory import ModelDirectory
from envkit.models.uris.naming import shown
from envkit.models.uris.need import DESCRIPTION

TRACE_SECONDS = 600.0
_ELSEWHERE = "Name a folder that gets the files and a copy of the model: `--output-path DIR`."
Report = Callable[[str], None]
Completion = Callable[[bytes | None], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """What a capture found.

    requirements, constraints: PEP 508 lines, pinned and sorted. variables: names that whoever runs the model must
    know. degradations: what could not be seen or recorded; `str()` of each is a sentence. prediction: the answer to
    the model's example as JSON values, None without one. written: names of the files in the model directory.
    """

    model: Path
    python: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    variables: tuple[str, ...]
    degradations: tuple[Degradation, ...]
    evidence: Mapping[str, Any]
    prediction: Any
    written: tuple[str, ...]


def capture(
    model_uri: str | Path,
    *,
    python: str | Path | None = None,
    timeout: float | None = None,
    memory_bytes: int | None = None,
    strict: bool = False,
    write: bool = True,
    build_local: bool = True,
    build_vcs: bool = False,
    include_code: bool = False,
    code_paths: Sequence[str | Path] = (),
    static: bool = False,
    include_static: bool = False,
    slim: bool = False,
    output_path: str | Path | None = None,
    include_variables: Sequence[str] = (),
    ignore_variables: Sequence[str] = (),
    requirements: Lines | None = None,
    extra_requirements: Lines | None = None,
    conda_env: CondaEnv | None = None,
    resolver: str | None = None,
    drop_local_versions: bool = False,
    extra_envs: Mapping[str, str] | None = None,
    sandbox: Wish = None,
    complete: Completion | None = None,
    report: Report | None = None,
) -> Capture:
    """Trace one load and one prediction of a model and write the files that rebuild its environment.

    model_uri: a model directory. python: the interpreter in whose environment the model works today, default the
    running one; nothing needs to be installed in it. timeout: seconds, default 600. memory_bytes: address space
    that the model may use. strict: refuse when anything could not be seen or recorded. write: False leaves the
    model directory as it is. build_local: build wheels, for the model to take along, of what was installed from
    folders of this machine, which runs their build code. build_vcs: also of what was installed from repositories
    elsewhere, so that whoever rebuilds the environment need not build them. include_code: copy modules that are
    neither the model's nor a distribution's into the model. code_paths: folders from which the traced model may
    import such modules. static: run nothing of the model, read its files.
    output_path: a folder that gets the files, with a copy of the model; default the model itself.
    slim: where the model asks MLflow for no more than to load it, to derive from and to register it, do not
    require that: it is traced a second time without it, and a degradation says why it stays if it does.
    include_static: require also what code imports that the example did not reach. include_variables,
    ignore_variables: patterns (`MY_*`) of environment variables that are recorded when something reads them, and of
    those that never are. requirements: lines of a requirements file, or its path, that are required in the place of
    what was seen; extra_requirements: in addition to it, and in the place of what has the same name; conda_env: a
    conda environment, as a dict or the path of its file, that becomes `conda.yaml`, with `requirements` in its pip
    section. What they name is pinned as installed where that fits. resolver: who is asked for hashes, `uv` or
    `pip-tools`, default uv, and pip-tools for what only pip is configured for. drop_local_versions: pin `2.3.0` for
    `2.3.0+cpu`, for targets that lack such builds. extra_envs: environment variables for the model. sandbox: True
    confines the model by the best there is, bubblewrap or resource limits; `"bubblewrap"` or `"limits"` by that and
    nothing else. complete: called once the model has predicted, before anything is written, with its answer
    (`envkit.inside.wire`; None without one), to complete the `MLmodel` file. report: called with a line of text as
    the work goes on.

    Raises `ModelNotFound`, `InvalidFile`, `PathOutsideModel` for what is wrong with the model directory,
    `ModelRaised`, `ModelDied`, `ModelTimedOut` when it does not load and predict (with what was seen until then as
    their `seen`), `InvalidArgument` for several of `requirements`, `extra_requirements` and `conda_env`, `Degraded`
    with `strict`, `NotAnInterpreter` for a bad `python`, `ToolNotFound` when bubblewrap is
    insisted on and does not work.
    """
    tell = report or _silent
    stated = declared.wish(requirements, extra_requirements, conda_env)
    model = ModelDirectory.open(model_uri, hint=_ELSEWHERE if write and output_path is None else "")
    target = output.choose(model, output_path) if write else output.Output(folder=model.path)
    wishes = Wishes(include=tuple(include_variables), ignore=tuple(ignore_variables))
    limits = _limits(timeout, memory_bytes, code_paths, extra_envs or {})
    limits = limits if static else replace(limits, confinement=confinement(sandbox, tell))
    tell(f"Reading {model.name}." if static else f"Tracing {model.name}: one load and one prediction.")
    with scratch.folder() as folder:
        answer = folder / "answer"
        limits = replace(limits, typed=answer) if complete else limits
        seen = _observe(model, python, limits, static=static, include=include_static)
        seen = _slimmed(seen, model, python, limits, include_static, tell) if slim else seen
        if complete and seen.failure is None:
            complete(answer.read_bytes() if answer.exists() else None)
            model = ModelDirectory.open(model_uri)
    traced, places, selection, read = seen.trace, seen.places, seen.selection, seen.static
    variables = classify(traced, places, wishes)
    if seen.failure is not None:
        no_lock, no_wheels = Unlocked(reasons=("the capture failed",)), LocalWheels(found={}, missing={})
        nothing = Declared(selection=selection)
        so_far = _Findings(traced, nothing, no_lock, no_wheels, variables, places, model, read, None)
        seen.failure.seen = so_far.in_short
        raise seen.failure
    conda = packagers.conda_needs(traced, selection)
    selection = conda.without_explained(selection) if conda else selection
    code = local_code.gather(selection.outside, traced.files, model) if include_code else None
    selection = replace(selection, outside=code.left) if code else selection
    selection = local_versions.dropped(selection) if drop_local_versions else selection
    asked = declared.declared(stated, selection, seen.installed, traced.interpreter.markers)
    selection = asked.selection
    tell(f"Locking {len(selection.requirements) + len(selection.constraints)} distributions.")
    every = [each.distribution for each in (*selection.requirements, *selection.constraints)]
    with scratch.folder() as folder:  # where wheels wait until all is written
        wheels = local_wheels.collect(
            every,
            traced.interpreter.executable,
            folder,
            build=build_local and not static,
            build_vcs=build_vcs,
            report=tell,
        )
        with step(tell, "Looking for files and hashes"):
            locked = (
                read.unlocked
                or asked.unlocked
                or lock(
                    every, traced.interpreter, wheels=wheels.found, model=model.path, resolver=resolver_named(resolver)
                )
            )
        found = _Findings(traced, asked, locked, wheels, variables, places, model, read, conda, seen.notes)
        if strict and found.degradations:
            raise Degraded(tuple(map(str, found.degradations)))
        written = files.write(model, found.files(code), target) if write else ()
        return found.capture(target.folder, written)


@dataclass(frozen=True, slots=True)
class _Observed:
    """What running or reading the model told, and what ended the run before its time."""

    trace: Trace
    places: Places
    selection: Selection
    installed: InstalledDistributions
    static: Static
    failure: CaptureFailed | None
    notes: tuple[Degradation, ...] = ()


def _slimmed(
    seen: _Observed, model: ModelDirectory, python: str | Path | None, limits: Limits, include: bool, tell: Report
) -> _Observed:
    """Try the model without MLflow, and give what that needs; else why it cannot do without."""
    if seen.failure is not None or seen.static.method != "trace" or not without_mlflow.needs_mlflow(seen.selection):
        return seen
    tell("Tracing once more, without MLflow.")

    def again() -> Trace:
        return trace_model(model, python, limits).trace

    lean = _observe(model, python, replace(limits, without_mlflow=True), static=False, include=include)
    why = without_mlflow.why_kept(seen.trace, lean.trace, lean.failure, lean.selection, seen.places, again)
    return lean if why is None else replace(seen, notes=(without_mlflow.kept(why),))


def _observe(
    model: ModelDirectory, python: str | Path | None, limits: Limits, *, static: bool, include: bool
) -> _Observed:
    """Trace the model and read its code, or read alone."""
    failure, read = None, None
    if static:
        traced, read = findings.instead(model, python)
    else:
        run = trace_model(model, python, limits)
        traced, failure = findings.with_compression(run.trace, model), run.failure
    installed = InstalledDistributions(_but(traced.interpreter.sys_path, limits.code_paths))
    places = Places(traced, installed, model.path, model.own_places)
    traced = builtin_names.with_uses(findings.with_unseen(traced, model, installed, places), places)
    selection = select(traced, installed, places)
    if read is None:
        read = findings.beside(traced, selection, model, installed, places, include=include)
        read = without_mlflow.without_supplied(read) if limits.without_mlflow else read
        if read.included:
            selection = select(read.add_to(traced, model), installed, places)
    return _Observed(traced, places, selection, installed, read, failure)


def _limits(
    timeout: float | None, memory_bytes: int | None, code_paths: Sequence[str | Path], variables: Mapping[str, str]
) -> Limits:
    environment.check(variables)
    for name, value in (("timeout", timeout), ("memory_bytes", memory_bytes)):
        if value is not None and not value > 0:
            raise InvalidArgument(f"{name} must be above 0, not {value}.")
    seconds = TRACE_SECONDS if timeout is None else timeout
    return Limits(seconds=seconds, memory_bytes=memory_bytes, code_paths=_absolute(code_paths), variables=variables)


def infer_pip_requirements(
    model_uri: str | Path,
    flavor: str | None = None,
    fallback: Sequence[str] | None = None,
    timeout: float | None = None,
    *,
    python: str | Path | None = None,
) -> list[str]:
    """Give the pinned requirements of a model, found by one load and one prediction; its files stay as they are.

    model_uri, timeout (seconds) and python are as for `capture`. flavor: a flavor that the model must have; the
    model is always run through its `python_function`. fallback: what to return, with a warning that says why, when
    the model cannot be traced.

    Raises what `capture` raises when there is no `fallback`, and `InvalidArgument` for a flavor that is not there.
    """
    try:
        _check_flavor(model_uri, flavor)
        return list(capture(model_uri, python=python, timeout=timeout, write=False, build_local=False).requirements)
    except CaptureFailed as error:
        if fallback is None:
            raise
        warnings.warn(f"The requirements of {shown(model_uri)} could not be inferred: {error}", stacklevel=2)
        return list(fallback)


def _absolute(paths: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(each).expanduser().absolute() for each in paths)


def _but(search_path: Sequence[str], code_paths: Sequence[Path]) -> list[str]:
    """The search path without folders of code: what metadata lies there describes nothing that is installed."""
    return [each for each in search_path if Path(each) not in code_paths]


def _check_flavor(model_uri: str | Path, flavor: str | None) -> None:
    flavors = ModelDirectory.open(model_uri, DESCRIPTION).mlmodel.flavors
    if flavor is not None and flavor not in flavors:
        raise InvalidArgument(f"{shown(model_uri)} has no flavor {flavor!r}; it has {', '.join(flavors)}.")


@dataclass(frozen=True, slots=True)
class _Findings:
    """All that one capture found, before it is written."""

    trace: Trace
    declared: Declared
    locked: Locked | Unlocked
    wheels: LocalWheels
    variables: tuple[Variable, ...]
    places: Places
    model: ModelDirectory
    read: Static
    conda: CondaNeeds | None
    notes: tuple[Degradation, ...] = ()

    @property
    def selection(self) -> Selection:
        """What the environment holds of what is installed."""
        return self.declared.selection

    @property
    def requirements(self) -> tuple[str, ...]:
        """Also what is merely implied, when it is a wheel: pip takes no path as a constraint."""
        wheels = self.wheels.required
        needed = self.selection.requirements
        implied = (each for each in self.selection.constraints if each.distribution.name in wheels)
        pins = self.read.with_lines(
            pin(each.distribution, each.extras, wheels.get(each.distribution.name)) for each in (*needed, *implied)
        )
        return self.declared.requirements(pins)

    @property
    def constraints(self) -> tuple[str, ...]:
        wheels = self.wheels.required
        implied = (each.distribution for each in self.selection.constraints)
        return self.declared.constraints(pin(each) for each in implied if each.name not in wheels)

    @property
    def variable_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.variables if each.recorded)

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        found = _degradations(self.trace, self.selection, self.locked, self.wheels, self.conda)
        more = (*self.declared.degradations(), *self.notes)
        return (*found, *outward.degradations(self.trace, self.places), *self.read.degradations(), *more)

    @property
    def evidence(self) -> dict[str, Any]:
        example = self.model.example_path
        seen = evidence.document(
            self.trace, self.selection, self.variables, self.degradations, self.places, example, self.wheels.found
        )
        seen["conda"] = self.conda.as_json() if self.conda else None
        needed = (*self.selection.requirements, *self.selection.constraints)
        seen["sboms"] = sboms.of(each.distribution for each in needed)
        seen["files"] = {name: each.as_json() for name, each in digests.of_model(self.model).items()}
        seen = {"artifact": self.model.artifact, **seen} if self.model.artifact else seen
        return self.read.added_to(seen)

    @property
    def in_short(self) -> dict[str, Any]:
        """As JSON values, for who is told that nothing came of it."""
        return {
            "python": self.trace.interpreter.version,
            "requirements": self.requirements,
            "constraints": self.constraints,
            "environment_variables": self.variable_names,
            "degradations": [each.as_json() for each in self.degradations],
            "evidence": self.evidence,
        }

    def files(self, code: LocalCode | None) -> files.Content:
        return files.Content(
            python=self.declared.wish.python or self.trace.interpreter.version,
            tools=self.trace.interpreter.tools,
            requirements=self.requirements,
            constraints=self.constraints,
            variables=self.variable_names,
            lock=self.locked.text if isinstance(self.locked, Locked) else None,
            wheels=tuple(self.wheels.found.values()),
            code=code.files if code else {},
            conda=self.conda,
            evidence=self.evidence,
            options=self.declared.wish.file.options,
            conda_env=self.declared.wish.conda,
        )

    def capture(self, folder: Path, written: tuple[str, ...]) -> Capture:
        return Capture(
            model=folder,
            python=self.trace.interpreter.version,
            requirements=self.requirements,
            constraints=self.constraints,
            variables=self.variable_names,
            degradations=self.degradations,
            evidence=self.evidence,
            prediction=self.trace.prediction,
            written=written,
        )


def _degradations(
    trace: Trace, selection: Selection, locked: Locked | Unlocked, wheels: LocalWheels, conda: CondaNeeds | None
) -> Iterator[Degradation]:
    if trace.skipped is not None:
        detail = f"no prediction was made ({trace.skipped}): what only a prediction imports is not known"
        yield Degradation(kind=Kind.NO_PREDICTION, subject="prediction", detail=detail)
    if trace.unstreamed is not None:
        detail = f"predict_stream raised {trace.unstreamed}: what only it imports is not known"
        yield Degradation(kind=Kind.NO_PREDICTION, subject="predict_stream", detail=detail)
    yield from native.degradations(trace)
    yield from _outside(selection)
    for unmet in selection.unmet:
        yield Degradation(kind=Kind.UNMET, subject=unmet.by, detail=str(unmet))
    needed = (*selection.requirements, *selection.constraints)
    every = [each.distribution for each in needed]
    yield from closure.unreadable(every)
    yield from local_origins.degradations(every, wheels)
    reasons = locked.reasons if isinstance(locked, Unlocked) else ()
    yield from packagers.degradations(needed, reasons, conda)
    if isinstance(locked, Locked):
        yield from local_origins.of_lock(locked.packages)
    else:
        detail = f"there is no pylock.toml, versions are pinned without hashes: {'; '.join(locked.reasons)}"
        yield Degradation(kind=Kind.NO_LOCK, subject="pylock.toml", detail=detail)


def _silent(_: str) -> None:
    return None


def _outside(selection: Selection) -> Iterator[Degradation]:
    """One for each file and each top-level package that is nobody's."""
    packages: dict[str, list[str]] = {}
    for each in selection.outside:
        top = each.file if each.module == each.file else each.module.partition(".")[0]
        packages.setdefault(top, []).append(each.file)
    for top, found in packages.items():
        more = f" and {len(found) - 1} more of its modules" if len(found) > 1 else ""
        if top == found[0]:
            what, remedy = f"file {top}", "it will be missing elsewhere"
        elif "site-packages" in found[0]:
            what, remedy = f"module {top}, {found[0]}{more}", "no RECORD of an installed distribution lists it"
        else:
            what = f"module {top}, {found[0]}{more}"
            remedy = "it will be missing elsewhere; `--include-code` takes it along"
        detail = f"{what} is neither the model's nor a distribution's: {remedy}"
        yield Degradation(kind=Kind.OUTSIDE, subject=top, detail=detail)
