"""How the stages examine a model, as values that are made once from the arguments of `validate`.

Which rules run is a `Selection`; what the project's file says is `ProjectSettings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from envkit.environments.environment_choice import EnvironmentChoice
from envkit.validating.finding import ALWAYS, Stage


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a number may be from the recorded one: `|a - b| <= absolute + relative * |recorded|`.

    of_columns: (relative, absolute) of single columns.
    """

    relative: float = 0.0
    absolute: float = 0.0
    of_columns: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, column: str) -> tuple[float, float]:
        """The relative and the absolute tolerance of a column."""
        return self.of_columns.get(column, (self.relative, self.absolute))

    def __bool__(self) -> bool:
        """Whether any difference is tolerated."""
        return bool(self.relative or self.absolute or self.of_columns)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How the model's environment is built and the model run in it, as for `envkit.predict`.

    variables: environment variables for the model.
    timeout: seconds.
    memory_bytes: address space.
    """

    choice: EnvironmentChoice = field(default_factory=EnvironmentChoice)
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    memory_bytes: int | None = None
    sandbox: str | bool | None = None


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """What the stages need to know.

    stages: those that were requested.
    fetch_all: fetch large files of remote models too.
    scanners: deeper scanners of pickles.
    targets: for which machines to resolve, as `targets.parse` reads them; none: this platform and
        the model's Python.
    audit: look up known vulnerabilities.
    against: an environment or lock, as `snapshot.take` reads it.
    progress: called with a line of text before what takes long.
    """

    stages: frozenset[Stage] = ALWAYS
    fetch_all: bool = False
    scanners: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    audit: bool = False
    against: str = ""
    tolerance: Tolerance = field(default_factory=Tolerance)
    run: RunOptions = field(default_factory=RunOptions)
    progress: Callable[[str], None] | None = None

    @property
    def needs_all_files(self) -> bool:
        """Whether the whole model must be fetched: scanners read it, a rebuild runs it."""
        return self.fetch_all or bool(self.scanners) or Stage.REBUILD in self.stages

    def say(self, text: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(text)
