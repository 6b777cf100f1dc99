"""Rule `unlocked-dependency`: all that would be installed on a target is pinned.

What is required on one platform only, such as `colorama` on Windows, is not in the closure that was
captured on another. Which version of it is installed is decided anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV306"
NAME = "unlocked-dependency"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package that a resolver had to add, with the targets for which it did."""
    locked = {str(package["name"]) for package in (facts.lock.packages if facts.lock else ())}
    added: dict[str, dict[str, str]] = {}
    for each in facts.resolutions:
        for package in each.packages:
            name = str(package["name"])
            if name not in each.pinned and name not in locked:
                added.setdefault(name, {})[each.place.label] = str(package.get("version", ""))
    for name, versions in sorted(added.items()):
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=facts.requirements_name,
            problem=f"{name} would be installed too for {'; '.join(versions)}, and no file pins it",
            remedy=f"add `{name}=={min(versions.values())}` (of today) to constraints.txt, or lock for the target",
        )
