"""What a capture came to: requirements, files and evidence, from all that was seen, asked for and locked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.capturing import evidence, files, native, outside_effects, packagers
from envkit.capturing.local_code import LocalCode
from envkit.capturing.observation import Observed
from envkit.capturing.packagers import CondaNeeds
from envkit.capturing.requirements import Selection
from envkit.capturing.stated_requirements import Declared
from envkit.capturing.trace import Trace
from envkit.capturing.variables import Variable
from envkit.formats import conda_yaml
from envkit.formats.conda_yaml import CondaEnv
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

    requirements, constraints: PEP 508 lines, pinned and sorted. variables: names that whoever runs
    the model must know. warnings: what could not be seen or recorded; `str()` of each is a
    sentence. prediction: the answer to the model's example as JSON values, None without one.
    written: names of the files in the model directory.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """All that one capture found, before it is written."""

    model: ModelDirectory
    seen: Observed
    variables: tuple[Variable, ...]
    declared: Declared
    locked: Locked | Unlocked
    wheels: LocalWheels
    conda: CondaNeeds | None = None

    @classmethod
    def so_far(
        cls, model: ModelDirectory, seen: Observed, variables: tuple[Variable, ...]
    ) -> Outcome:
        """What a capture whose run failed can tell."""
        return cls(
            model=model,
            seen=seen,
            variables=variables,
            declared=Declared(selection=seen.selection),
            locked=Unlocked(reasons=("the capture failed",)),
            wheels=LocalWheels(found={}, missing={}),
        )

    @property
    def selection(self) -> Selection:
        """What the environment holds of what is installed."""
        return self.declared.selection

    @property
    def spec(self) -> EnvironmentSpec:
        """The environment that the model needs: a capture ends with it, and a rebuild starts from it."""
        facts = self.seen.trace.interpreter
        python = self.declared.wish.python or facts.version
        conda = self._conda_env(python)
        return EnvironmentSpec(
            directory=self.model.path,
            python=python,
            requirements=self.requirements,
            constraints=self.constraints,
            options=self.declared.wish.file.options,
            build_dependencies=files.build_tools(facts.tools),
            conda_channels=conda.channels,
            conda_packages=conda.packages,
            conda_specs=conda.dependencies,
            conda_variables=conda.variables,
            variables=self.variable_names,
        )

    def _conda_env(self, python: str) -> CondaEnv:
        """What conda installs: the author's `conda.yaml`, or what the traced environment has of conda."""
        stated = self.declared.wish.conda
        if stated is not None:
            return conda_yaml.parse(stated, self.model.path / conda_yaml.FILE_NAME)
        return files.conda_env(python, self.seen.trace.interpreter.tools, self.conda)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Also what is merely implied, when it is a wheel: pip takes no path as a constraint."""
        wheels = self.wheels.required
        needed = self.selection.requirements
        implied = (each for each in self.selection.constraints if each.distribution.name in wheels)
        pins = self.seen.static.with_lines(
            pin(each.distribution, each.extras, wheels.get(each.distribution.name))
            for each in (*needed, *implied)
        )
        return self.declared.requirements(pins)

    @property
    def constraints(self) -> tuple[Requirement, ...]:
        """What the requirements imply."""
        wheels = self.wheels.required
        implied = (each.distribution for each in self.selection.constraints)
        return self.declared.constraints(pin(each) for each in implied if each.name not in wheels)

    @property
    def variable_names(self) -> tuple[str, ...]:
        """What whoever runs the model must know."""
        return tuple(each.name for each in self.variables if each.recorded)

    @property
    def warnings(self) -> tuple[CaptureWarning, ...]:
        """What could not be seen, or not be recorded."""
        seen = self.seen
        return (
            *_unpredicted(seen.trace),
            *native.warnings(seen.trace),
            *_outside(self.selection),
            *(
                CaptureWarning(kind=WarningKind.UNMET, subject=each.by, detail=str(each))
                for each in self.selection.unmet
            ),
            *closure.unreadable(self.selection.distributions),
            *local_origins.warnings(self.selection.distributions, self.wheels),
            *self._of_lock(),
            *outside_effects.warnings(seen.trace, seen.places),
            *seen.static.warnings(),
            *self.declared.warnings(),
            *seen.notes,
        )

    def _of_lock(self) -> Iterator[CaptureWarning]:
        if isinstance(self.locked, Unlocked):
            reasons = self.locked.reasons
        else:
            reasons = ()
        yield from packagers.warnings(self.selection.needed, reasons, self.conda)
        if isinstance(self.locked, Locked):
            yield from local_origins.of_lock(self.locked.packages)
        else:
            detail = (
                f"there is no pylock.toml, versions are pinned without hashes: {'; '.join(reasons)}"
            )
            yield CaptureWarning(kind=WarningKind.NO_LOCK, subject="pylock.toml", detail=detail)

    @property
    def evidence(self) -> dict[str, Any]:
        """What `envkit.json` holds, as JSON values."""
        seen, selection = self.seen, self.selection
        found = evidence.document(
            seen.trace,
            selection,
            self.variables,
            self.warnings,
            seen.places,
            self.model.example_path,
            self.wheels.found,
        )
        found["conda"] = self.conda.as_json() if self.conda else None
        found["sboms"] = sboms.of(selection.distributions)
        found["files"] = {
            name: each.as_json() for name, each in digests.of_model(self.model).items()
        }
        if self.model.artifact:
            found = {"artifact": self.model.artifact, **found}
        return seen.static.added_to(found)

    @property
    def in_short(self) -> dict[str, Any]:
        """As JSON values, for who is told that nothing came of it."""
        return {
            "python": self.seen.trace.interpreter.version,
            "requirements": tuple(map(str, self.requirements)),
            "constraints": tuple(map(str, self.constraints)),
            "environment_variables": self.variable_names,
            "degradations": [each.as_json() for each in self.warnings],
            "evidence": self.evidence,
        }

    def files(self, code: LocalCode | None) -> files.Content:
        """What is to be written. code: modules that are taken along."""
        return files.Content(
            spec=self.spec,
            lock=self.locked.text if isinstance(self.locked, Locked) else None,
            wheels=tuple(self.wheels.found.values()),
            code=code.files if code else {},
            conda=self.conda,
            evidence=self.evidence,
            conda_env=self.declared.wish.conda,
        )

    def capture(self, folder: Path, written: tuple[str, ...]) -> Capture:
        """What the caller is given. folder: the model with its files, of which `written` are new."""
        return Capture(
            model=folder,
            python=self.seen.trace.interpreter.version,
            requirements=tuple(map(str, self.requirements)),
            constraints=tuple(map(str, self.constraints)),
            variables=self.variable_names,
            warnings=self.warnings,
            evidence=self.evidence,
            prediction=self.seen.trace.prediction,
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


def _outside(selection: Selection) -> Iterator[CaptureWarning]:
    """One for each file and each top-level package that is nobody's."""
    packages: dict[str, list[str]] = {}
    for each in selection.outside:
        if each.module == each.file:
            top = each.file
        else:
            top = each.module.partition(".")[0]
        packages.setdefault(top, []).append(each.file)
    for top, found in packages.items():
        if len(found) > 1:
            more = f" and {len(found) - 1} more of its modules"
        else:
            more = ""
        if top == found[0]:
            what, remedy = f"file {top}", "it will be missing elsewhere"
        elif "site-packages" in found[0]:
            what, remedy = (
                f"module {top}, {found[0]}{more}",
                "no RECORD of an installed distribution lists it",
            )
        else:
            what = f"module {top}, {found[0]}{more}"
            remedy = "it will be missing elsewhere; `--include-code` takes it along"
        detail = f"{what} is neither the model's nor a distribution's: {remedy}"
        yield CaptureWarning(kind=WarningKind.OUTSIDE, subject=top, detail=detail)
