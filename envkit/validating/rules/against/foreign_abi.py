"""Rule `foreign-abi`: what is installed there was built for that interpreter and platform.

A wheel's tags say which interpreter, binary interface and machine its compiled files are for.
Copied folders, `--target` and images that were put together by hand mix them up.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV604"
NAME = "foreign-abi"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package of the model that is installed there for another interpreter."""
    for each in facts.fit.misbuilt:
        file, line = facts.place_of(each.name)
        has = f"Python {facts.fit.there.python} on {facts.fit.there.platform}"
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            line=line,
            problem=f"{each.name} {each.version} in {facts.fit.named} is built for {', '.join(each.tags[:3])}, and "
            f"that is {has}",
            remedy="install it again with that interpreter's own installer",
        )
