"""What rules look at: the facts of one model, each gathered when it is first asked for, and once.

Its files are read in `model_files`. Nothing here raises for what is wrong in a model either.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.analysis import flavors as recorded
from envkit.analysis.mentions import Gap, Survey
from envkit.errors import InvalidFile
from envkit.models.directory import ModelDirectory
from envkit.validating.files import unfetched
from envkit.validating.files.imports import Imports
from envkit.validating.files.model_files import ModelFiles
from envkit.validating.options import Demands

# what the later stages need is imported where they run: files and code are to stay quick
if TYPE_CHECKING:
    from envkit.validating.stages.answers import ColumnDifference
    from envkit.validating.stages.audit import Audit
    from envkit.validating.stages.drift import Fit
    from envkit.validating.stages.minimal import Minimal
    from envkit.validating.stages.rebuild import Rebuilt, Recorded
    from envkit.validating.stages.resolve import Resolution


def today() -> date:
    """The day that rules go by: that of `SOURCE_DATE_EPOCH`, else today (UTC)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdecimal():
        now = datetime.fromtimestamp(int(epoch), UTC)
    else:
        now = datetime.now(UTC)
    return now.date()


class ModelFacts(ModelFiles):
    """One model: its files, what they come to together, and what the later stages find.

    day: the day that rules go by; environ: in which required variables are looked for; scan: the
    deeper scanners that were asked for; demands: what is asked of the later stages; imports: the
    facts of the model that this is a draft of, whose code and artifacts are not here. The rest is
    as of `ModelFiles`.
    """

    def __init__(
        self,
        path: Path,
        *,
        day: date | None = None,
        environ: Mapping[str, str] | None = None,
        scan: tuple[str, ...] = (),
        bare: ModelDirectory | None = None,
        demands: Demands | None = None,
        imports: ModelFacts | None = None,
        elsewhere: Mapping[str, int | None] | None = None,
    ) -> None:
        """`path` is a directory with an `MLmodel`, whatever is in that; or that of a `bare` artifact."""
        super().__init__(path, bare=bare, elsewhere=elsewhere)
        self.day = day or today()
        self.demands = demands or Demands()
        self.environ = {**(os.environ if environ is None else environ), **self.demands.variables}
        self.scan = scan
        self._imports = imports

    @cached_property
    def recorded_versions(self) -> Mapping[str, str]:
        """Versions of distributions that `MLmodel` records, by name."""
        survey = Survey()
        if self._imports is not None:
            return self._imports.recorded_versions
        if self.directory is not None:
            recorded.read(self.directory, survey)
        return survey.versions

    @cached_property
    def imports(self) -> Imports:
        """What the model's code and artifacts import, and which distributions have that."""
        if self._imports is not None:
            return self._imports.imports
        found = Imports.of(self.directory if not self.escapes else None, self.python, self.evidence)
        if found.survey is not None and self.elsewhere:
            found.survey.gaps.append(Gap(file=".", problem=unfetched.told(self.elsewhere)))
        return found

    @cached_property
    def resolutions(self) -> tuple[Resolution, ...]:
        """What resolvers say for each target."""
        from envkit.validating.stages.resolve import resolve

        return resolve(self)

    @cached_property
    def audit(self) -> Audit | None:
        """What is known of vulnerabilities; None when nobody asked."""
        from envkit.validating.stages.audit import audit

        if self.demands.audit:
            return audit(self)
        return None

    @cached_property
    def rebuilt(self) -> Rebuilt:
        """The model in its rebuilt environment."""
        from envkit.validating.stages import rebuild

        if self.directory is not None and not self.escapes:
            return rebuild.rebuild(self.directory, self.demands)
        return rebuild.Rebuilt(
            unbuilt=InvalidFile(self.path, "", "the model cannot be read as it is")
        )

    @cached_property
    def recorded_answer(self) -> Recorded | None:
        """The answer that the capture recorded."""
        from envkit.validating.stages.rebuild import recorded

        return recorded(self.evidence)

    @cached_property
    def answer_differences(self) -> tuple[ColumnDifference, ...]:
        """How the answer in the rebuilt environment differs from the recorded one."""
        from envkit.validating.stages.rebuild import differences

        if not self.rebuilt.answered or self.recorded_answer is None:
            return ()
        return differences(self.recorded_answer, self.rebuilt.answer, self.demands.tolerance)

    @cached_property
    def answer_varies(self) -> bool:
        """Whether the model answers otherwise each time, whatever its environment."""
        from envkit.validating.stages.rebuild import varies

        return self.directory is not None and varies(self.directory, self.rebuilt, self.demands)

    @cached_property
    def minimal(self) -> Minimal:
        """The model with each requirement left out in turn."""
        from envkit.validating.stages.minimal import minimize

        return minimize(self)

    @cached_property
    def fit(self) -> Fit:
        """What the environment or lock that was named has of what the model needs."""
        from envkit.validating.stages.drift import fit

        return fit(self)


def of_content(content: Any) -> Mapping[str, Any]:
    """A JSON value as an object; an empty one for anything else."""
    if isinstance(content, Mapping):
        return content
    return {}
