"""Rule `no-wheel`: every pinned package has a wheel for each target."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity
from envkit.validating.stages.resolve import Lack

CODE = "ENV301"
NAME = "no-wheel"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each pin for which the indexes have no wheel, and each wheel of the model that does not fit."""
    for each in facts.resolutions:
        for name, lack in each.wheelless.items():
            file, line = facts.place_of(name)
            problem, remedy = _told(name, lack, each.place.label)
            yield Finding(
                rule=CODE, severity=SEVERITY, file=file, line=line, problem=problem, remedy=remedy
            )


def _told(name: str, lack: Lack, place: str) -> tuple[str, str]:
    """Say what is lacking, and what to do."""
    if lack.unknown:
        return (
            f"there is no package `{name}` on the indexes",
            "correct the name, or name the index that has it",
        )
    if lack.unreleased:
        return (
            f"there is no `{lack.pin}` on the indexes",
            "pin a version that there is, or name the index that has it",
        )
    remedy = (
        "pin a version that has one, take another target, or put a wheel into the model's `wheels/`"
    )
    if lack.pin.endswith(".whl"):
        return f"the wheel {lack.pin} is not for {place}", remedy
    return f"there is no wheel of `{lack.pin}` for {place}", remedy
