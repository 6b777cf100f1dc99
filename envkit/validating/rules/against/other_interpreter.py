"""Rule `other-interpreter`: the environment's Python is the model's.

Another minor version loads no compiled package and no bytecode of the first, and pickles of
functions neither.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV603"
NAME = "other-interpreter"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report another minor version, and as a note another patch version."""
    here, wanted = facts.fit.there.python, facts.python
    if here is None or wanted is None:
        return
    if facts.lock is not None:
        admitted = facts.lock.requires_python
    else:
        admitted = None
    if here.split(".")[:2] != wanted.split(".")[:2]:
        problem = f"the model wants Python {wanted}, {facts.fit.named} has {here}"
        yield Finding(rule=CODE, severity=SEVERITY, problem=problem, remedy=_remedy(wanted))
    elif admitted and not _admits(admitted, here):
        problem = f"the model's lock is for Python {admitted}, {facts.fit.named} has {here}"
        yield Finding(rule=CODE, severity=SEVERITY, problem=problem, remedy=_remedy(wanted))
    elif here != wanted and wanted.count(".") > 1:
        problem = f"the model was captured with Python {wanted}, {facts.fit.named} has {here}"
        yield Finding(rule=CODE, severity=Severity.NOTE, problem=problem, remedy=_remedy(wanted))


def _admits(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True


def _remedy(wanted: str) -> str:
    return f"make the environment with Python {wanted}, or capture the model with the other"
