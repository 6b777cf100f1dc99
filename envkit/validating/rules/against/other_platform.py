"""Rule `other-platform`: the environment is on the platform that the model was captured on.

Elsewhere other files are installed for the same versions, and the model was not tried with those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV605"
NAME = "other-platform"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report another platform; versions of the operating system do not count."""
    there, captured = facts.fit.there.platform, facts.evidence.platform if facts.evidence else ""
    if there and captured and _kind(there) != _kind(captured):
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=envkit_json.FILE_NAME,
            field="interpreter.platform",
            problem=f"the model was captured on {captured}, {facts.fit.named} is on {there}",
            remedy="try the model there (`envkit validate --rebuild`) before you rely on it",
        )


def _kind(platform: str) -> str:
    return re.sub(r"-\d+(\.\d+)*-", "-", platform)
