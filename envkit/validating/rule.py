"""The rules: each a module in `rules/<stage>/` with `CODE`, `NAME`, `SEVERITY`, `check(facts)`; no list names them.

Where what is wrong can be mended mechanically, the module has a `fix(facts)` too.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity, Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. summary: a sentence; explanation: the rest of its module's text.

    fix: where what is wrong can be mended mechanically: yields names of files with their whole new
    text.
    """

    code: str
    name: str
    severity: Severity
    stage: Stage
    summary: str
    explanation: str
    check: Callable[[ModelFacts], Iterator[Finding]]
    fix: Callable[[ModelFacts], Iterator[tuple[str, str]]] | None = None


@cache
def all_rules() -> tuple[Rule, ...]:
    """Find the rules of all stages, in the order of the stages, then of their codes."""
    return tuple(
        each for stage in Stage for each in sorted(_of_stage(stage), key=lambda rule: rule.code)
    )


def _of_stage(stage: Stage) -> Iterator[Rule]:
    folder = importlib.import_module(f"envkit.validating.rules.{stage.value}")
    for found in pkgutil.iter_modules(folder.__path__):
        yield _rule(importlib.import_module(f"{folder.__name__}.{found.name}"), stage)


def _rule(module: ModuleType, stage: Stage) -> Rule:
    first, _, rest = (module.__doc__ or "").partition("\n")
    return Rule(
        code=module.CODE,
        name=module.NAME,
        severity=module.SEVERITY,
        stage=stage,
        summary=first.partition(": ")[2].rstrip("."),
        explanation=rest.strip(),
        check=module.check,
        fix=getattr(module, "fix", None),
    )
