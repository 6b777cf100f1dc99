"""Rule `unneeded-requirement`: without any of its requirements the model answers its example otherwise, or not at all.

Each is really taken out of a copy of the rebuilt environment, with what only it brings. One example
does not go everywhere: what another input needs may be named here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV501"
NAME = "unneeded-requirement"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement without which the answer is the same."""
    for each in facts.minimal.unneeded:
        file, line = facts.place_of(each.name)
        if each.brought:
            brought = f" (and {', '.join(each.brought)}, which only it brings)"
        else:
            brought = ""
        if facts.minimal.together:
            alone = "; not together with all others that are named here"
        else:
            alone = ""
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            line=line,
            problem=f"without {each.name}{brought} the answer to the example is the same{alone}",
            remedy="remove the line, unless other inputs need it, and capture the model again",
        )
