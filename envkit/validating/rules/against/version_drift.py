"""Rule `version-drift`: the environment has the versions that the model was captured with.

An error where the first number differs or an older version is there; else a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV602"
NAME = "version-drift"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package in another version."""
    for wanted, found in facts.fit.drifted:
        file, line = facts.place_of(wanted.name)
        yield Finding(
            rule=CODE,
            severity=Severity.ERROR if _is_grave(wanted.version, found.version or "") else SEVERITY,
            file=file,
            line=line,
            problem=f"the model wants `{wanted.spec}`, {facts.fit.named} has {wanted.name} {found.version}",
            remedy="install that version there, or let the model run in an environment of its own (`envkit predict`)",
        )


def _is_grave(wanted: str | None, found: str) -> bool:
    try:
        left, right = Version(wanted or ""), Version(found.lstrip("="))
    except InvalidVersion:
        return True
    return left.epoch != right.epoch or left.major != right.major or right < left
