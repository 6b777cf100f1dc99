"""Rule `lock-lacks-wheel`: the lock has a file for each target, and the index still has it."""

from collections.abc import Set

from envkit.formats import pylock_toml
from envkit.formats.pylock import Package
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved, applies, files_of, fits
from envkit.validating.stages.targets import Machine


@rule("ENV305", "lock-lacks-wheel", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each locked package without a file that fits the target and is still offered."""
    for resolution in resolved.resolutions:
        offered = {package.name: files_of(package).keys() for package in resolution.packages}
        for package in facts.locked_packages:
            problem = _problem(package, offered.get(package.name), resolution.machine)
            if problem:
                line = facts.line_of(pylock_toml.FILE_NAME, f'name = "{package.name}"')
                yield Fault(
                    problem=problem,
                    remedy="lock for that target, or for all, with `envkit lock --platform` or "
                    "`--universal`",
                    location=Location(pylock_toml.FILE_NAME, line),
                )


def _problem(package: Package, offered: Set[str] | None, machine: Machine) -> str:
    if not package.wheels or not applies(package, machine):
        return ""
    fitting = [file for file in files_of(package) if fits(file, machine)]
    if not fitting:
        return f"the lock has no wheel of {package.name} for {machine.label}"
    # a wheel in the model needs no index
    is_local = any(wheel.path is not None for wheel in package.wheels)
    if offered is None or is_local or not offered.isdisjoint(fitting):
        return ""
    return f"the index no longer has {fitting[0]}, or another locked wheel for {machine.label}"
