"""Capture a model: trace it, decide what it needs, write that down. Nothing is written unless all of it worked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from envkit.capturing import (
    files,
    local_code,
    local_versions,
    output,
    packagers,
    stated_requirements,
)
from envkit.capturing.local_code import LocalCode
from envkit.capturing.observation import Observed, observe, slimmed
from envkit.capturing.outcome import Capture, Outcome
from envkit.capturing.packagers import CondaNeeds
from envkit.capturing.requirements import Selection
from envkit.capturing.stated_requirements import CondaEnv, Declared, Lines
from envkit.capturing.tracing import Limits
from envkit.capturing.variables import Wishes, classify
from envkit.child import scratch
from envkit.child import variables as environment
from envkit.child.progress import step
from envkit.child.sandbox import SandboxOption, confinement
from envkit.errors import CaptureFailed, IncompleteCapture, InvalidArgument
from envkit.locking import local_wheels
from envkit.locking.local_wheels import LocalWheels
from envkit.locking.lock import Locked, Unlocked, lock
from envkit.locking.resolvers import resolver_named
from envkit.models.directory import ModelDirectory
from envkit.models.uris.naming import shown
from envkit.models.uris.required_files import DESCRIPTION

TRACE_SECONDS = 600.0
_ELSEWHERE = "Name a folder that gets the files and a copy of the model: `--output-path DIR`."
Report = Callable[[str], None]
Completion = Callable[[bytes | None], None]


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
    sandbox: SandboxOption = None,
    complete: Completion | None = None,
    report: Report | None = None,
) -> Capture:
    """Trace one load and one prediction of a model and write the files that rebuild its environment.

    model_uri: a model directory. python: the interpreter in whose environment the model works
    today, default the running one; nothing needs to be installed in it. timeout: seconds, default
    600. memory_bytes: address space that the model may use. strict: refuse when anything could not
    be seen or recorded. write: False leaves the model directory as it is. build_local: build
    wheels, for the model to take along, of what was installed from folders of this machine, which
    runs their build code. build_vcs: also of what was installed from repositories elsewhere, so
    that whoever rebuilds the environment need not build them. include_code: copy modules that are
    neither the model's nor a distribution's into the model. code_paths: folders from which the
    traced model may import such modules. static: run nothing of the model, read its files.
    output_path: a folder that gets the files, with a copy of the model; default the model itself.
    slim: where the model asks MLflow for no more than to load it, to derive from and to register
    it, do not require that: it is traced a second time without it, and a warning says why it
    stays if it does. include_static: require also what code imports that the example did not reach.
    include_variables, ignore_variables: patterns (`MY_*`) of environment variables that are
    recorded when something reads them, and of those that never are. requirements: lines of a
    requirements file, or its path, that are required in the place of what was seen;
    extra_requirements: in addition to it, and in the place of what has the same name; conda_env: a
    conda environment, as a dict or the path of its file, that becomes `conda.yaml`, with
    `requirements` in its pip section. What they name is pinned as installed where that fits.
    resolver: who is asked for hashes, `uv` or `pip-tools`, default uv, and pip-tools for what only
    pip is configured for. drop_local_versions: pin `2.3.0` for `2.3.0+cpu`, for targets that lack
    such builds. extra_envs: environment variables for the model. sandbox: True confines the model
    by the best there is, bubblewrap or resource limits; `"bubblewrap"` or `"limits"` by that and
    nothing else. complete: called once the model has predicted, before anything is written, with
    its answer (`envkit.inside.data.wire`; None without one), to complete the `MLmodel` file.
    report: called with a line of text as the work goes on.

    Raises `ModelNotFound`, `InvalidFile`, `PathOutsideModel` for what is wrong with the model
    directory, `ModelRaised`, `ModelDied`, `ModelTimedOut` when it does not load and predict (with
    what was seen until then as their `seen`), `InvalidArgument` for several of `requirements`,
    `extra_requirements` and `conda_env`, `IncompleteCapture` with `strict`, `NotAnInterpreter` for a bad
    `python`, `ToolNotFound` when bubblewrap is insisted on and does not work.
    """
    tell = report or _silent
    stated = stated_requirements.wish(requirements, extra_requirements, conda_env)
    model = ModelDirectory.open(model_uri, hint=_ELSEWHERE if write and output_path is None else "")
    if write:
        target = output.choose(model, output_path)
    else:
        target = output.Output(folder=model.path)
    wishes = Wishes(include=tuple(include_variables), ignore=tuple(ignore_variables))
    limits = _limits(timeout, memory_bytes, code_paths, extra_envs or {})
    if not static:
        limits = replace(limits, confinement=confinement(sandbox, tell))
    tell(
        f"Reading {model.name}."
        if static
        else f"Tracing {model.name}: one load and one prediction."
    )
    with scratch.folder() as folder:
        answer = folder / "answer"
        limits = replace(limits, typed=answer) if complete else limits
        seen = observe(model, python, limits, static=static, include=include_static)
        if slim:
            seen = slimmed(seen, model, python, limits, include_static, tell)
        if complete and seen.failure is None:
            complete(answer.read_bytes() if answer.exists() else None)
            model = ModelDirectory.open(model_uri)
    variables = classify(seen.trace, seen.places, wishes)
    if seen.failure is not None:
        seen.failure.seen = Outcome.so_far(model, seen, variables).in_short
        raise seen.failure
    selection, conda, code = _explained(
        seen, model, include_code=include_code, drop_local=drop_local_versions
    )
    asked = stated_requirements.declared(
        stated, selection, seen.installed, seen.trace.interpreter.markers
    )
    tell(f"Locking {len(asked.selection.distributions)} distributions.")
    with scratch.folder() as folder:  # where wheels wait until all is written
        wheels = local_wheels.collect(
            asked.selection.distributions,
            seen.trace.interpreter.executable,
            folder,
            build=build_local and not static,
            build_vcs=build_vcs,
            report=tell,
        )
        with step(tell, "Looking for files and hashes"):
            locked = _locked(asked, seen, wheels, model, resolver)
        found = Outcome(
            model=model,
            seen=seen,
            variables=variables,
            declared=asked,
            locked=locked,
            wheels=wheels,
            conda=conda,
        )
        if strict and found.warnings:
            raise IncompleteCapture(tuple(map(str, found.warnings)))
        if write:
            written = files.write(model, found.files(code), target)
        else:
            written = ()
        return found.capture(target.folder, written)


def _explained(
    seen: Observed, model: ModelDirectory, *, include_code: bool, drop_local: bool
) -> tuple[Selection, CondaNeeds | None, LocalCode | None]:
    """What was selected, less what conda brings and what code is taken along."""
    conda = packagers.conda_needs(seen.trace, seen.selection)
    if conda:
        selection = conda.without_explained(seen.selection)
    else:
        selection = seen.selection
    if include_code:
        code = local_code.gather(selection.outside, seen.trace.files, model)
    else:
        code = None
    if code:
        selection = replace(selection, outside=code.left)
    return local_versions.dropped(selection) if drop_local else selection, conda, code


def _locked(
    asked: Declared,
    seen: Observed,
    wheels: LocalWheels,
    model: ModelDirectory,
    resolver: str | None,
) -> Locked | Unlocked:
    return (
        seen.static.unlocked
        or asked.unlocked
        or lock(
            asked.selection.distributions,
            seen.trace.interpreter,
            wheels=wheels.found,
            model=model.path,
            resolver=resolver_named(resolver),
        )
    )


def _limits(
    timeout: float | None,
    memory_bytes: int | None,
    code_paths: Sequence[str | Path],
    variables: Mapping[str, str],
) -> Limits:
    environment.check(variables)
    for name, value in (("timeout", timeout), ("memory_bytes", memory_bytes)):
        if value is not None and not value > 0:
            raise InvalidArgument(f"{name} must be above 0, not {value}.")
    seconds = TRACE_SECONDS if timeout is None else timeout
    return Limits(
        seconds=seconds,
        memory_bytes=memory_bytes,
        code_paths=_absolute(code_paths),
        variables=variables,
    )


def infer_pip_requirements(
    model_uri: str | Path,
    flavor: str | None = None,
    fallback: Sequence[str] | None = None,
    timeout: float | None = None,
    *,
    python: str | Path | None = None,
) -> list[str]:
    """Give the pinned requirements of a model, found by one load and one prediction; its files stay as they are.

    model_uri, timeout (seconds) and python are as for `capture`. flavor: a flavor that the model
    must have; the model is always run through its `python_function`. fallback: what to return, with
    a warning that says why, when the model cannot be traced.

    Raises what `capture` raises when there is no `fallback`, and `InvalidArgument` for a flavor
    that is not there.
    """
    try:
        _check_flavor(model_uri, flavor)
        return list(
            capture(
                model_uri, python=python, timeout=timeout, write=False, build_local=False
            ).requirements
        )
    except CaptureFailed as error:
        if fallback is None:
            raise
        warnings.warn(
            f"The requirements of {shown(model_uri)} could not be inferred: {error}", stacklevel=2
        )
        return list(fallback)


def _absolute(paths: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(each).expanduser().absolute() for each in paths)


def _check_flavor(model_uri: str | Path, flavor: str | None) -> None:
    flavors = ModelDirectory.open(model_uri, DESCRIPTION).mlmodel.flavors
    if flavor is not None and flavor not in flavors:
        raise InvalidArgument(
            f"{shown(model_uri)} has no flavor {flavor!r}; it has {', '.join(flavors)}."
        )


def _silent(_: str) -> None:
    return None
