"""Rule `unsafe-pickle`: no pickle fetches what starts programs, evaluates text or reaches the network or files.

A triage, not a security boundary: unpickling runs code by design, and code can hide in what is
allowed. Load only models that you trust, or in a sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.pickle_globals import is_dangerous
from envkit.validating.finding import Finding, Severity

CODE = "ENV210"
NAME = "unsafe-pickle"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each such class or function, once for each artifact."""
    for file, names in (facts.imports.survey.globals if facts.imports.survey else {}).items():
        for module, name in names:
            if is_dangerous(module, name):
                yield Finding(
                    rule=CODE,
                    severity=SEVERITY,
                    file=file,
                    problem=f"unpickling it fetches {module}.{name}, which can do anything",
                    remedy="do not load it; find out who made it, and save the model again from trusted code",
                )
