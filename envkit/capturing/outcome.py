"""What a capture comes to: requirements, files and evidence, from all that was seen and locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from envkit.capturing import evidence, native, outside_effects, packagers, written_files
from envkit.capturing.local_code import LocalCode
from envkit.capturing.module_to_distribution import UnownedFile
from envkit.capturing.observation import Observation
from envkit.capturing.packagers import CondaNeeds
from envkit.capturing.requirements import Selection
from envkit.capturing.stated_requirements import Declared
from envkit.capturing.trace import Trace
from envkit.capturing.variables import Variable
from envkit.formats import conda_yaml, pylock_toml
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement
from envkit.installed import closure, sboms
from envkit.locking import local_origins
from envkit.locking.local_wheels import LocalWheels
from envkit.locking.lock import Locked, Unlocked
from envkit.locking.pins import pin
from envkit.models import digests
from envkit.models.capture_warnings import CaptureWarning, WarningKind
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """What a capture found.

    Attributes:
        model: The folder with the model and the files that were written.
        python: The version of the interpreter, `3.11.7`.
        requirements: PEP 508 lines, pinned and sorted.
        constraints: Pins of what the requirements imply.
        variables: Names of environment variables that the user of the model must know.
        warnings: What could not be seen or recorded; `str()` of each is a sentence.
        evidence: The content of `envkit.json`.
        prediction: The answer to the model's example as JSON values, None without one.
        written: Names of the files that were written, relative to `model`.
    """

    model: Path
    python: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    variables: tuple[str, ...]
    warnings: tuple[CaptureWarning, ...]
    evidence: Mapping[str, Any]
    prediction: Any
    written: tuple[str, ...]

    @property
    def degradations(self) -> tuple[CaptureWarning, ...]:
        """The earlier name of `warnings`."""
        return self.warnings


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that one capture found. What follows from it is computed once, when it is needed."""

    model: ModelDirectory
    observed: Observation
    variables: tuple[Variable, ...]
    declared: Declared
    locked: Locked | Unlocked
    wheels: LocalWheels
    conda: CondaNeeds | None = None
    code: LocalCode = field(default_factory=LocalCode)

    @classmethod
    def of_failure(
        cls,
        model: ModelDirectory,
        observed: Observation,
        variables: tuple[Variable, ...],
    ) -> Outcome:
        """What is known of a model that failed while it was traced."""
        return cls(
            model=model,
            observed=observed,
            variables=variables,
            declared=Declared(selection=observed.selection),
            locked=Unlocked(reasons=("the capture failed",)),
            wheels=LocalWheels(found={}, missing={}),
        )

    @property
    def selection(self) -> Selection:
        """What the environment holds of what is installed."""
        return self.declared.selection

    @cached_property
    def spec(self) -> EnvironmentSpec:
        """The environment that the model needs: a capture ends in it, a rebuild starts from it."""
        interpreter = self.observed.trace.interpreter
        stated = self.declared.stated
        python = stated.python or interpreter.version
        if stated.conda is None:
            conda = written_files.conda_env(python, interpreter.tools, self.conda)
        else:
            conda = conda_yaml.parse(stated.conda, self.model.path / conda_yaml.FILE_NAME)
        return EnvironmentSpec(
            directory=self.model.path,
            python=python,
            requirements=self.requirements,
            constraints=self.constraints,
            options=stated.file.options,
            build_dependencies=written_files.build_tools(interpreter.tools),
            lock=self._lock_file(),
            conda_channels=conda.channels,
            conda_packages=conda.packages,
            conda_specs=conda.dependencies,
            conda_variables=conda.variables,
            variables=self.variable_names,
        )

    def _lock_file(self) -> LockFile | None:
        if isinstance(self.locked, Unlocked):
            return None
        path = self.model.path / pylock_toml.FILE_NAME
        return LockFile(path=path, content=self.locked.text.encode())

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """What to install, with implied wheels: pip does not take a path as a constraint."""
        wheels = self.wheels.required
        implied_wheels = [
            selected
            for selected in self.selection.constraints
            if selected.distribution.name in wheels
        ]
        pins = [
            pin(selected.distribution, selected.extras, wheels.get(selected.distribution.name))
            for selected in (*self.selection.requirements, *implied_wheels)
        ]
        return self.declared.requirements(self.observed.static.with_lines(pins))

    @cached_property
    def constraints(self) -> tuple[Requirement, ...]:
        """Pins of what the requirements imply."""
        wheels = self.wheels.required
        implied = (selected.distribution for selected in self.selection.constraints)
        pins = [pin(distribution) for distribution in implied if distribution.name not in wheels]
        return self.declared.constraints(pins)

    @property
    def variable_names(self) -> tuple[str, ...]:
        """The environment variables that the user of the model must know."""
        return tuple(variable.name for variable in self.variables if variable.recorded)

    @cached_property
    def warnings(self) -> tuple[CaptureWarning, ...]:
        """What could not be seen or recorded."""
        observed, trace = self.observed, self.observed.trace
        distributions = self.selection.distributions
        return (
            *_unpredicted(trace),
            *native.warnings(trace),
            *_outside(self.selection),
            *_unmet(self.selection),
            *closure.unreadable(distributions),
            *local_origins.warnings(distributions, self.wheels),
            *self._lock_warnings(),
            *outside_effects.warnings(trace, observed.places),
            *observed.static.warnings(),
            *self.declared.warnings(),
            *observed.warnings,
        )

    def _lock_warnings(self) -> Iterator[CaptureWarning]:
        needed = self.selection.needed
        if isinstance(self.locked, Locked):
            yield from packagers.warnings(needed, frozenset(), self.conda)
            yield from local_origins.of_lock(self.locked.packages)
            return
        yield from packagers.warnings(needed, self.locked.not_on_index, self.conda)
        reasons = "; ".join(self.locked.reasons)
        detail = f"there is no pylock.toml, versions are pinned without hashes: {reasons}"
        yield CaptureWarning(kind=WarningKind.NO_LOCK, subject="pylock.toml", detail=detail)

    @cached_property
    def evidence(self) -> Mapping[str, Any]:
        """The content of `envkit.json`. This reads the whole model, for its digests."""
        return self._evidence(digests.of_model(self.model))

    def _evidence(self, model_files: Mapping[str, digests.Digest]) -> Mapping[str, Any]:
        observed = self.observed
        document: dict[str, Any] = {}
        if self.model.artifact:
            document["artifact"] = self.model.artifact
        document |= evidence.document(
            observed.trace,
            self.selection,
            self.variables,
            self.warnings,
            observed.places,
            self.model.example_path,
            self.wheels.found,
        )
        document["conda"] = self.conda.as_json() if self.conda else None
        document["sboms"] = sboms.of(self.selection.distributions)
        document["files"] = {name: digest.as_json() for name, digest in model_files.items()}
        return observed.static.added_to(document)

    def failure_report(self) -> dict[str, Any]:
        """What was seen before the model failed, as JSON values.

        The model is not read for its digests: nothing is written that they could be compared with.
        """
        return {
            "python": self.observed.trace.interpreter.version,
            "requirements": tuple(map(str, self.requirements)),
            "constraints": tuple(map(str, self.constraints)),
            "environment_variables": self.variable_names,
            "degradations": [warning.as_json() for warning in self.warnings],
            "evidence": self._evidence({}),
        }

    def content(self) -> written_files.Content:
        """What the files say."""
        return written_files.Content(
            spec=self.spec,
            wheels=tuple(self.wheels.found.values()),
            code=self.code.files,
            evidence=self.evidence,
            conda=self.conda,
            conda_env=self.declared.stated.conda,
        )

    def capture(self, folder: Path, written: tuple[str, ...] = ()) -> Capture:
        """The result. folder: the model with its files, of which those in `written` are new."""
        return Capture(
            model=folder,
            python=self.observed.trace.interpreter.version,
            requirements=tuple(map(str, self.requirements)),
            constraints=tuple(map(str, self.constraints)),
            variables=self.variable_names,
            warnings=self.warnings,
            evidence=self.evidence,
            prediction=self.observed.trace.prediction,
            written=written,
        )


def _unpredicted(trace: Trace) -> Iterator[CaptureWarning]:
    if trace.skipped is not None:
        detail = (
            f"no prediction was made ({trace.skipped}): what only a prediction imports is not known"
        )
        yield CaptureWarning(kind=WarningKind.NO_PREDICTION, subject="prediction", detail=detail)
    if trace.unstreamed is not None:
        detail = f"predict_stream raised {trace.unstreamed}: what only it imports is not known"
        yield CaptureWarning(
            kind=WarningKind.NO_PREDICTION, subject="predict_stream", detail=detail
        )


def _unmet(selection: Selection) -> Iterator[CaptureWarning]:
    for unmet in selection.unmet:
        yield CaptureWarning(kind=WarningKind.UNMET, subject=unmet.by, detail=str(unmet))


def _outside(selection: Selection) -> Iterator[CaptureWarning]:
    """One for each file and each top-level package that belongs to nothing."""
    files: dict[str, list[UnownedFile]] = defaultdict(list)
    for unowned in selection.outside:
        top_level = unowned.file
        if unowned.module is not None:
            top_level = unowned.module.partition(".")[0]
        files[top_level].append(unowned)
    for top_level, unowned_files in files.items():
        detail = _why_outside(top_level, unowned_files)
        yield CaptureWarning(kind=WarningKind.OUTSIDE, subject=top_level, detail=detail)


def _why_outside(top_level: str, files: Sequence[UnownedFile]) -> str:
    first = files[0]
    if first.module is None:
        what, consequence = f"file {first.file}", "it will be missing on other machines"
    else:
        what = f"module {top_level}, {first.file}"
        if len(files) > 1:
            what += f" and {len(files) - 1} more of its modules"
        if "site-packages" in first.file:
            consequence = "no RECORD of an installed distribution lists it"
        else:
            consequence = "it will be missing on other machines unless `--include-code` copies it"
    return f"{what} belongs to neither the model nor a distribution: {consequence}"
