"""Rule `lock-lacks-wheel`: the lock has a file for each target, and the index still has it."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity
from envkit.validating.stages.resolve import Resolution, applies, files_of, fits

CODE = "ENV305"
NAME = "lock-lacks-wheel"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each locked package with no file that could be installed there, or none that is still offered."""
    for each in facts.resolutions:
        offered = {str(package["name"]): set(files_of(package)) for package in each.packages}
        for package in facts.lock.packages if facts.lock else ():
            if problem := _problem(package, offered.get(str(package["name"])), each):
                yield Finding(
                    rule=CODE,
                    severity=SEVERITY,
                    file=pylock_toml.FILE_NAME,
                    line=facts.line_of(pylock_toml.FILE_NAME, f'name = "{package["name"]}"'),
                    problem=problem,
                    remedy="lock for that target, or for all, with `envkit lock --platform` or `--universal`",
                )


def _problem(
    package: pylock_toml.LockedPackage, offered: set[str] | None, found: Resolution
) -> str:
    if not package.get("wheels") or not applies(package, found.place):
        return ""
    fitting = [name for name in files_of(package) if fits(name, found.place)]
    if not fitting:
        return f"the lock has no wheel of {package['name']} for {found.place.label}"
    local = any("path" in wheel for wheel in package["wheels"])
    if offered is not None and not local and not offered & set(fitting):
        return f"the index no longer has {fitting[0]}, nor another wheel of the lock for {found.place.label}"
    return ""
