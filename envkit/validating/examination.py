"""One model, taken through the requested stages; each rule gets what its stage provides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from envkit.errors import InvalidFile, PathOutsideModel
from envkit.formats import mlmodel
from envkit.models.directory import ModelDirectory
from envkit.validating.files import not_fetched
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Stage
from envkit.validating.options import StageOptions
from envkit.validating.selection import Selection

# Stages are imported where they run: each takes up to 200 ms, and most runs need only two.
if TYPE_CHECKING:
    from envkit.validating.stages.code import ModelCode
    from envkit.validating.stages.drift import Drift
    from envkit.validating.stages.minimal import Minimal
    from envkit.validating.stages.rebuild import Rebuilt
    from envkit.validating.stages.resolve import Resolved


class Examination:
    """A model's facts and the results of its stages, each of which runs at most once."""

    def __init__(self, facts: ModelFacts, options: StageOptions) -> None:
        self.facts = facts
        self.options = options

    @cached_property
    def code(self) -> ModelCode:
        """What code and artifacts import."""
        from envkit.validating.stages import code

        return code.read(self.facts, self.options.scanners)

    @cached_property
    def resolved(self) -> Resolved:
        """What indexes and channels have for each target."""
        from envkit.validating.stages.resolve import resolve

        return resolve(self.facts, self.options)

    @cached_property
    def rebuilt(self) -> Rebuilt:
        """The model in its rebuilt environment."""
        from envkit.validating.stages.rebuild import rebuild

        return rebuild(self.facts, self.options)

    @cached_property
    def minimal(self) -> Minimal:
        """The model without each requirement in turn."""
        from envkit.validating.stages.minimal import minimize

        return minimize(self.facts, self.rebuilt, self.options)

    @cached_property
    def drift(self) -> Drift:
        """The model compared with an existing environment."""
        from envkit.validating.stages import drift

        return drift.compare(self.facts, self.options)

    def evidence(self, stage: Stage) -> tuple[object, ...]:
        """Give what the rules of a stage take, in this order; runs the stage."""
        match stage:
            case Stage.FILES:
                return (self.facts,)
            case Stage.CODE:
                return self.facts, self.code
            case Stage.RESOLVE:
                return self.facts, self.resolved
            case Stage.REBUILD:
                return self.facts, self.rebuilt
            case Stage.MINIMAL:
                return self.facts, self.minimal
            case Stage.AGAINST:
                return self.facts, self.drift

    def findings(self, selection: Selection) -> list[Finding]:
        """Check the chosen rules; findings are sorted by place, those without a file last."""
        findings: dict[Finding, None] = {}
        for rule in selection.rules:
            for finding in rule.findings(*self.evidence(rule.stage)):
                findings[selection.with_severity(finding, rule)] = None
        return sorted(findings, key=_order)

    def notes(self) -> Iterator[str]:
        """Say what was not fetched and what the later stages did; runs them."""
        stages = self.options.stages
        if self.facts.not_fetched:
            yield not_fetched.description(self.facts.not_fetched)
        if Stage.RESOLVE in stages:
            yield from self._resolve_notes()
        if Stage.REBUILD in stages:
            yield from self._rebuild_notes()
        if Stage.MINIMAL in stages and self.minimal.trials:
            count = len(self.minimal.trials)
            yield f"left out each of {count} requirements in {self.minimal.seconds:.1f} s"

    def _resolve_notes(self) -> Iterator[str]:
        labels = [
            resolution.machine.label
            for resolution in self.resolved.resolutions
            if resolution.invalid is None and not resolution.no_answer
        ]
        if labels:
            yield f"resolved for {'; '.join(labels)}"

    def _rebuild_notes(self) -> Iterator[str]:
        rebuilt = self.rebuilt
        yield from rebuilt.notes
        if rebuilt.answered and rebuilt.is_recorded and not rebuilt.differences:
            within = " within the tolerance" if self.options.tolerance else ""
            yield f"rebuilt in {rebuilt.seconds:.1f} s: the answer is the recorded one{within}"


def examine(uri: str | Path, options: StageOptions) -> Examination:
    """Begin with the model that a path or URI names, whatever is wrong in it.

    Raises `ModelNotFound` when there is neither a directory with an `MLmodel` nor an artifact,
    `InvalidArgument` for another kind of URI.
    """
    place, missing = not_fetched.open_place(uri, everything=options.needs_all_files)
    bare = None
    try:
        model = ModelDirectory.open(place)
        path = model.path
        if model.artifact is not None:
            bare = model
    except (InvalidFile, PathOutsideModel) as error:
        path = Path(error.path)
        if path.name == mlmodel.FILE_NAME:
            path = path.parent
    environ = {**os.environ, **options.run.variables}
    facts = ModelFacts(path, bare=bare, not_fetched=missing, environ=environ)
    return Examination(facts, options)


def _order(finding: Finding) -> tuple[bool, str, int, str]:
    return finding.file == "", finding.file, finding.line, finding.rule
