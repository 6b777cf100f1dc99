"""What is asked of a validation beyond the rules: its stages, and how those that need a machine go about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from envkit.environments.environment_choice import EnvironmentChoice
from envkit.validating.finding import ALWAYS, Stage


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a number may be from the recorded one: `|a - b| <= absolute + relative * |recorded|`.

    of_columns: (relative, absolute) for columns of their own.
    """

    relative: float = 0.0
    absolute: float = 0.0
    of_columns: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, column: str) -> tuple[float, float]:
        """The two of a column."""
        return self.of_columns.get(column, (self.relative, self.absolute))

    def __bool__(self) -> bool:
        """Whether anything but the very same answer is good."""
        return bool(self.relative or self.absolute or self.of_columns)


@dataclass(frozen=True, kw_only=True)
class Demands:
    """What is asked.

    targets: for which machines to resolve, as `targets.parse` takes them; none: this platform and
    the model's Python. whole: fetch all of a model elsewhere. audit: ask for known vulnerabilities.
    against: an environment or lock, see `fitting.fit`. tolerance: of answers. choice: the
    environment to rebuild. variables, timeout (seconds), memory_bytes, sandbox: as
    for `envkit.predict`. report: is told what takes time.
    """

    stages: frozenset[Stage] = ALWAYS
    targets: tuple[str, ...] = ()
    whole: bool = False
    audit: bool = False
    against: str = ""
    tolerance: Tolerance = field(default_factory=Tolerance)
    choice: EnvironmentChoice = field(default_factory=EnvironmentChoice)
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    memory_bytes: int | None = None
    sandbox: str | bool | None = None
    report: Callable[[str], None] | None = None

    def tell(self, text: str) -> None:
        """Say what takes time, if anybody listens."""
        if self.report is not None:
            self.report(text)
