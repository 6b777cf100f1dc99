"""Which distributions have a module, found without installing any of them.

Sources, in this order: the distributions that are installed next to envkit, whose records are
certain; the table `import_names.toml` of modules named otherwise than their distributions; and the
name itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def providers(module: str) -> tuple[frozenset[str], bool]:
    """Give the distributions that have a module, and whether that is known, not guessed.

    A guess includes each package around the module: `google.cloud.storage` may be that of
    `google-cloud-storage`.
    """
    guesses = frozenset(map(canonicalize_name, with_parents(module)))
    for name in with_parents(module):
        if name in _table():
            return guesses | _table()[name], True
    installed = _installed().get(module.partition(".")[0], frozenset())
    return guesses | installed, bool(installed)


def with_parents(module: str) -> list[str]:
    """A module and the packages around it, the innermost first."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


def modules_of(distribution: str) -> frozenset[str]:
    """Give the known top-level modules of a distribution, or else its own name."""
    in_table, installed = _modules_by_distribution()
    modules = {module.partition(".")[0] for module in in_table.get(distribution, ())}
    modules |= installed.get(distribution, frozenset())
    return frozenset(modules or {distribution.replace("-", "_")})


def inverted(names_of: Mapping[str, Iterable[str]]) -> Mapping[str, frozenset[str]]:
    """Give the modules of each distribution, from the distributions of each module."""
    modules_of_name: dict[str, set[str]] = {}
    for module, names in names_of.items():
        for name in names:
            modules_of_name.setdefault(name, set()).add(module)
    return {name: frozenset(modules) for name, modules in modules_of_name.items()}


@cache
def _modules_by_distribution() -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """By the table, and by what is installed."""
    return inverted(_table()), inverted(_installed())


@cache
def _table() -> Mapping[str, frozenset[str]]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {module: frozenset(names) for module, names in content["modules"].items()}


@cache
def _installed() -> Mapping[str, frozenset[str]]:
    return {
        module: frozenset(map(canonicalize_name, names))
        for module, names in packages_distributions().items()
        if names
    }
