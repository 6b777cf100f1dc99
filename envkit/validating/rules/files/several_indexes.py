"""Rule `several-indexes`: each package comes from one index.

With `--extra-index-url`, pip takes the highest version of whichever index has it, and uv the first
index that knows the name: a package of the same name on the public index can take the place of a
private one. A lock that holds every requirement with its hashes settles it.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV126"
NAME = "several-indexes"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each additional index."""
    severity = Severity.NOTE if _is_locked(facts) else SEVERITY
    found = {(file, option) for each in facts.all_requirements for file, option in each.options}
    for file, option in sorted(found, key=lambda each: (each[0], each[1].line)):
        if option.name == "--extra-index-url":
            yield Finding(
                rule=CODE,
                severity=severity,
                file=file,
                line=option.line,
                problem=f"`{without_credentials(str(option))}`: any package may come from either index",
                remedy="use one `--index-url` that serves all, direct URLs with hashes, or a lock (`envkit lock`)",
            )


def _is_locked(facts: ModelFacts) -> bool:
    if facts.lock is None:
        return False
    locked = {canonicalize_name(str(each["name"])) for each in facts.lock.packages}
    return all(line.name in locked for line in facts.requirements.lines if not line.constraint)
