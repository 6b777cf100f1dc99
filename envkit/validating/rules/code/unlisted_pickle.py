"""Rule `unlisted-pickle`: pickles fetch only what the model declares, what it brings, and plain values.

The list of what is allowed is made from the model itself: the modules of its declared packages,
those of its own code, what the runner supplies, and classes of the standard library that hold
values. A triage, not a security boundary.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.models.supplied_by_runner import is_supplied
from envkit.validating.files.declared import declared
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.pickle_globals import is_dangerous, is_plain
from envkit.validating.finding import Finding, Severity

CODE = "ENV211"
NAME = "unlisted-pickle"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each module that is not on the list, once for each artifact."""
    names = declared(facts)
    for file, fetched in (facts.imports.survey.globals if facts.imports.survey else {}).items():
        told: set[str] = set()
        for module, name in fetched:
            if (
                is_dangerous(module, name)
                or is_plain(module, name)
                or module in told
                or is_supplied(f"{module}.{name}")
                or _is_listed(module, facts, names)
            ):
                continue
            told.add(module)
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                problem=f"unpickling it fetches {module}.{name}, which is not on the list of what this model may fetch",
                remedy="require the package that has it, or find out who made the file",
            )


def _is_listed(module: str, facts: ModelFacts, names: frozenset[str]) -> bool:
    top = module.partition(".")[0]
    return top in facts.imports.own_modules or bool(facts.imports.providers(module)[0] & names)
