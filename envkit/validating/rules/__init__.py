"""The rules: one folder a stage, one file a rule; no list names them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from envkit.validating.finding import Stage
from envkit.validating.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Find the rules, in the order of their stages, then of their codes."""
    rules: list[Rule] = []
    for stage in Stage:
        rules += sorted(_rules_of(stage), key=lambda rule: rule.code)
    return tuple(rules)


def _rules_of(stage: Stage) -> Iterator[Rule]:
    folder = importlib.import_module(f"{__name__}.{stage.value}")
    for file in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{file.name}")
        rule: Rule = module.check
        yield replace(rule, fix=getattr(module, "fix", None))
