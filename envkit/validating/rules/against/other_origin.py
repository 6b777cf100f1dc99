"""Rule `other-origin`: what the model takes from a URL came from there in the environment, too.

The same version from another place, another commit or an index may be other code.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV606"
NAME = "other-origin"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package that came from elsewhere."""
    for wanted, found in facts.fit.from_elsewhere:
        file, line = facts.place_of(wanted.name)
        origin = "an index" if found.origin == "index" else found.origin
        problem = f"the model wants {wanted.name} from {without_credentials(wanted.url or '')}, {facts.fit.named} has it "
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            line=line,
            problem=f"{problem}from {origin}",
            remedy="install it from there",
        )
