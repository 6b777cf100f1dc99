"""Capture a model: trace it, decide what it needs, write that down, all files or none."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from envkit.capturing import (
    local_code,
    packagers,
    stated_requirements,
    without_mlflow,
    written_files,
)
from envkit.capturing.observation import Observation, Observer
from envkit.capturing.options import (
    CaptureOptions,
    InferenceOptions,
    PinOptions,
    trace_settings,
)
from envkit.capturing.outcome import Capture, Outcome
from envkit.capturing.stated_requirements import CondaEnv, Declared, Lines
from envkit.capturing.tracing import was_visible
from envkit.capturing.variables import VariablePatterns, classify
from envkit.child import left_behind, scratch
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
    """Trace one load and one prediction of a model; write the files that rebuild its environment.

    At most one of `requirements`, `extra_requirements` and `conda_env` may be given. What they name
    is pinned as it is installed, if that version fits.

    Args:
        model_uri: A model directory, a bare artifact (`.pkl`, `.pt`, …), or a URI of either.
        python: The interpreter in whose environment the model works today, by default the running
            one. Nothing needs to be installed in it.
        timeout: Seconds that loading and predicting may take, by default 600.
        memory_bytes: Address space that the model may use, in bytes.
        strict: Raise if the capture has warnings.
        write: Write the files. False leaves the model directory as it is.
        build_local: Build wheels, to go with the model, of what was installed from local folders.
            This runs their build code.
        build_vcs: Build wheels of what was installed from repositories too, so that a rebuild of
            the environment does not have to.
        include_code: Copy modules that belong to neither the model nor a distribution into the
            model.
        code_paths: Folders from which the traced model may import such modules.
        static: Read the model's files and run nothing.
        include_static: Require also what code imports that the example did not reach.
        slim: Do not require MLflow if the model only loads with it, derives from its classes and
            registers itself. The model is traced a second time without it. If it needs MLflow, a
            warning says why.
        output_path: A folder for the files and a copy of the model, by default the model itself.
        include_variables: Patterns (`MY_*`) of environment variables to record when anything reads
            them.
        ignore_variables: Patterns of environment variables that are not recorded.
        requirements: Lines of a requirements file, or its path, to require instead of what was
            seen.
        extra_requirements: Lines, or a path, to require in addition to what was seen, and instead
            of what has the same name.
        conda_env: A conda environment, as a dict or the path of its file, that becomes
            `conda.yaml`, with `requirements` in its pip section.
        resolver: What to ask for hashes, `uv` or `pip-tools`. By default uv, and pip-tools where
            only pip is configured for an index.
        drop_local_versions: Pin `2.3.0` for `2.3.0+cpu`, for targets whose indexes lack such
            builds.
        extra_envs: Environment variables for the model.
        sandbox: True confines the model with bubblewrap or, without that, with resource limits.
            `"bubblewrap"` or `"limits"` confines it with that or not at all.
        complete: Is called after the prediction and before anything is written, with the answer in
            the format of `envkit.inside.data.wire`, or None without one. It may complete the
            `MLmodel` file.
        report: Is called with a line of text for each step.

    Returns:
        What the capture found, and the names of the files that it wrote.

    Raises:
        InvalidArgument: An argument is invalid, or excludes another one.
        ModelNotFound: There is no model.
        InvalidFile: A file of the model breaks its format.
        PathOutsideModel: A field of the model names a path outside of it.
        ModelRaised: The model raised an exception. What was recorded until then is in `seen`, here
            and in the next two.
        ModelDied: The model's process ended too early.
        ModelTimedOut: The model took longer than `timeout`.
        IncompleteCapture: The capture has warnings, and `strict` is set.
        NotAnInterpreter: `python` is not a working Python.
        ToolNotFound: bubblewrap is required by `sandbox`, but does not work.
    """
    report = report or _silent
    stated = stated_requirements.read(requirements, extra_requirements, conda_env)
    hint = written_files.OTHER_FOLDER if write and output_path is None else ""
    model = ModelDirectory.open(model_uri, hint=hint)
    target = written_files.choose_folder(model, output_path) if write else None
    settings = trace_settings(python, timeout, memory_bytes, code_paths, extra_envs)
    if not static:
        settings = replace(settings, confinement=confinement(sandbox, report))
    options = CaptureOptions(
        trace=settings,
        inference=InferenceOptions(static=static, include_static=include_static, slim=slim),
        pins=PinOptions(
            resolver=resolver,
            build_local=build_local,
            build_vcs=build_vcs,
            drop_local_versions=drop_local_versions,
        ),
        variables=VariablePatterns(
            include=tuple(include_variables), ignore=tuple(ignore_variables)
        ),
        stated=stated,
        include_code=include_code,
        strict=strict,
    )
    observed = _observe(model, options, complete, report)
    if complete is not None:
        model = ModelDirectory.open(model_uri)
    with scratch.folder() as wheels:  # they wait there until all files can be written
        outcome = _outcome(model, observed, options, wheels, report)
        if strict and outcome.warnings:
            raise IncompleteCapture(tuple(map(str, outcome.warnings)))
        if target is None:
            return outcome.capture(model.path)
        written = written_files.write(model, outcome.content(), target)
        return outcome.capture(target.path, written)


def infer_pip_requirements(
    model_uri: str | Path,
    flavor: str | None = None,
    fallback: Sequence[str] | None = None,
    timeout: float | None = None,
    *,
    python: str | Path | None = None,
) -> list[str]:
    """Find the requirements of a model by one load and one prediction. Its files are not changed.

    Args:
        model_uri: As for `capture`.
        flavor: A flavor that the model must have. The model always runs as its `python_function`.
        fallback: What to return when the model cannot be traced. A warning says why it cannot.
        timeout: Seconds, as for `capture`.
        python: As for `capture`.

    Returns:
        Pinned requirements (PEP 508), sorted.

    Raises:
        InvalidArgument: The model does not have the flavor.
        CaptureFailed: The model could not be traced, and there is no `fallback`.
    """
    try:
        _check_flavor(model_uri, flavor)
        model = ModelDirectory.open(model_uri)
        options = CaptureOptions(
            trace=trace_settings(python, timeout), pins=PinOptions(build_local=False)
        )
        observed = _observe(model, options, None, _silent)
        with scratch.folder() as wheels:
            outcome = _outcome(model, observed, options, wheels, _silent)
            return list(map(str, outcome.requirements))
    except CaptureFailed as error:
        if fallback is None:
            raise
        message = f"The requirements of {shown(model_uri)} could not be inferred: {error}"
        warnings.warn(message, stacklevel=2)
        return list(fallback)


def _observe(
    model: ModelDirectory,
    options: CaptureOptions,
    complete: Completion | None,
    report: Report,
) -> Observation:
    """Trace or read the model. Raises a `CaptureFailed` that says what was seen until then."""
    inference = options.inference
    if inference.static:
        report(f"Reading {model.name}.")
    else:
        report(f"Tracing {model.name}: one load and one prediction.")
    with scratch.folder() as folder:
        answer = folder / "answer"
        settings = options.trace
        if complete is not None:
            settings = replace(settings, typed_answer=answer)
        observer = Observer(
            model=model,
            settings=settings,
            static=inference.static,
            include_static=inference.include_static,
        )
        observed = observer.observe()
        if inference.slim:
            observed = without_mlflow.drop_if_possible(observed, observer, report)
        if observed.failure is not None:
            variables = classify(
                observed.trace, observed.places, observed.sources, options.variables
            )
            observed.failure.seen = Outcome.of_failure(model, observed, variables).failure_report()
            raise observed.failure
        if complete is not None:
            complete(_typed_answer(answer))
    return observed


def _typed_answer(path: Path) -> bytes | None:
    """Return what the traced process left as its answer; None when there is none."""
    try:
        return left_behind.read(path, left_behind.ANSWER_BYTES)
    except FileNotFoundError:
        return None
    except left_behind.NotReadable as error:
        raise CaptureFailed(f"The model's answer is not taken: {error}.") from error


def _outcome(
    model: ModelDirectory,
    observed: Observation,
    options: CaptureOptions,
    wheels_folder: Path,
    report: Report,
) -> Outcome:
    """Decide what the model needs, and lock it."""
    selection = observed.selection
    conda = packagers.conda_needs(observed.trace, selection)
    if conda is not None:
        selection = conda.without_explained(selection)
    code = local_code.LocalCode()
    if options.include_code:
        code = local_code.gather(
            selection.outside,
            observed.trace.files,
            model,
            partial(was_visible, observed.trace, model, options.trace),
        )
        selection = replace(selection, outside=code.left)
    if options.pins.drop_local_versions:
        selection = selection.without_local_versions()
    declared = stated_requirements.declared(
        options.stated, selection, observed.installed, observed.trace.interpreter.markers
    )
    distributions = declared.selection.distributions
    report(f"Locking {len(distributions)} distributions.")
    wheels = local_wheels.collect(
        distributions,
        observed.trace.interpreter.executable,
        wheels_folder,
        build=options.pins.build_local and not options.inference.static,
        build_vcs=options.pins.build_vcs,
        untrusted=model.own_places,
        report=report,
    )
    with step(report, "Looking for files and hashes"):
        locked = _lock(model, observed, declared, wheels, options.pins.resolver)
    return Outcome(
        model=model,
        observed=observed,
        variables=classify(observed.trace, observed.places, observed.sources, options.variables),
        declared=declared,
        locked=locked,
        wheels=wheels,
        conda=conda,
        code=code,
    )


def _lock(
    model: ModelDirectory,
    observed: Observation,
    declared: Declared,
    wheels: LocalWheels,
    resolver: str | None,
) -> Locked | Unlocked:
    unlocked = observed.static.unlocked or declared.unlocked
    if unlocked is not None:
        return unlocked
    return lock(
        declared.selection.distributions,
        observed.trace.interpreter,
        wheels=wheels.found,
        model=model.path,
        resolver=resolver_named(resolver),
    )


def _check_flavor(model_uri: str | Path, flavor: str | None) -> None:
    flavors = ModelDirectory.open(model_uri, DESCRIPTION).mlmodel.flavors
    if flavor is not None and flavor not in flavors:
        raise InvalidArgument(
            f"{shown(model_uri)} has no flavor {flavor!r}; it has {', '.join(flavors)}."
        )


def _silent(_: str) -> None:
    return None
