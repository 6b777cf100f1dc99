"""Rule `yanked`: no pinned version is yanked.

A yanked version (PEP 592) is still installed where it is pinned. Its authors yanked it for a
reason: it is broken, unsafe, or was published by mistake.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved


@rule("ENV303", "yanked", Severity.WARNING)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each once, with the reason that the index gives."""
    problems: dict[str, str] = {}
    for resolution in resolved.resolutions:
        versions: dict[str, object] = {each.name: each.version for each in resolution.packages}
        for name, reason in resolution.yanked.items():
            why = f": {reason.rstrip('.')}" if reason else ", without a reason"
            problems.setdefault(name, f"{name} {versions.get(name, '')} is yanked{why}")
    for name, problem in sorted(problems.items()):
        yield Fault(
            problem=problem,
            remedy="use a version that is not yanked, try the model with it, and capture it again",
            location=facts.location_of(name),
        )
