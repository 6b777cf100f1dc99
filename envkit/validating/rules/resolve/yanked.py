"""Rule `yanked`: no pinned version was withdrawn by its authors.

A yanked version (PEP 592) is still installed where it is pinned. It was withdrawn for a reason: it
is broken, unsafe, or was published by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV303"
NAME = "yanked"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each once, with the reason that the index gives."""
    told: dict[str, tuple[str, str]] = {}
    for each in facts.resolutions:
        versions = {
            str(package["name"]): str(package.get("version", "")) for package in each.packages
        }
        for name, reason in each.yanked.items():
            told.setdefault(name, (versions.get(name, ""), reason))
    for name, (version, reason) in sorted(told.items()):
        file, line = facts.place_of(name)
        if reason:
            why = f": {reason.rstrip('.')}"
        else:
            why = ", without a reason"
        problem = f"{name} {version} was withdrawn (yanked) by its authors{why}"
        remedy = (
            "take a version that was not withdrawn, try the model with it, and capture it again"
        )
        yield Finding(
            rule=CODE, severity=SEVERITY, file=file, line=line, problem=problem, remedy=remedy
        )
