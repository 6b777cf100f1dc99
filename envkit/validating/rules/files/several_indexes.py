"""Rule `several-indexes`: all packages come from one index.

With `--extra-index-url`, pip takes the highest version that any index has, and uv the first index
that knows the name: a package of the same name on the public index can replace a private one
(dependency confusion). A lock that holds every requirement with its hashes prevents that.
"""

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV126", "several-indexes", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each additional index; a note where everything is locked."""
    severity = Severity.NOTE if _is_locked(facts) else Severity.ERROR
    for location, option in facts.installer_options:
        if option.name == "--extra-index-url":
            shown = without_credentials(str(option))
            yield Fault(
                problem=f"`{shown}`: any package may come from either index",
                remedy=(
                    "use one `--index-url` that serves all packages, direct URLs with hashes, or "
                    "a lock (`envkit lock`)"
                ),
                location=location,
                severity=severity,
            )


def _is_locked(facts: ModelFacts) -> bool:
    if facts.lock is None:
        return False
    lines = facts.requirements.lines
    return all(line.name in facts.locked for line in lines if not line.constraint)
