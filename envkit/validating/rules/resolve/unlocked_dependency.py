"""Rule `unlocked-dependency`: everything that would be installed on a target is pinned.

What only one platform needs, such as `colorama` on Windows, is not in a closure that was captured
on another. Its version is chosen again at each installation.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved


@rule("ENV306", "unlocked-dependency", Severity.WARNING)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each package that the resolver had to add, with the targets for which it did."""
    locked = {package.name for package in facts.locked_packages}
    added: dict[str, dict[str, str]] = {}
    for resolution in resolved.resolutions:
        for package in resolution.packages:
            if package.name not in resolution.pinned and package.name not in locked:
                versions = added.setdefault(package.name, {})
                versions[resolution.machine.label] = str(package.version)
    for name, versions in sorted(added.items()):
        pin = f"{name}=={min(versions.values())}"
        yield Fault(
            problem=(
                f"{name} would also be installed for {'; '.join(versions)}, but no file pins it"
            ),
            remedy=f"add `{pin}` (today's version) to constraints.txt, or lock for the target",
            location=Location(facts.requirements_name),
        )
