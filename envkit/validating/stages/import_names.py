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
from typing import TypeAlias

from packaging.utils import canonicalize_name

Names: TypeAlias = frozenset[str]
NamesByName: TypeAlias = Mapping[str, Names]


def providers(module: str) -> tuple[Names, bool]:
    """Give the distributions that have a module, and whether that is known, not guessed.

    A guess includes each package around the module: `google.cloud.storage` may be that of
    `google-cloud-storage`.
    """
    packages = with_parents(module)
    guesses = frozenset(map(canonicalize_name, packages))
    table = _table()
    for package in packages:
        if package in table:
            return guesses | table[package], True
    top_level = packages[-1]
    installed = _installed().get(top_level)
    if installed is None:
        return guesses, False
    return guesses | installed, True


def with_parents(module: str) -> list[str]:
    """A module and the packages around it, the innermost first."""
    names = [module]
    while "." in module:
        module = module.rpartition(".")[0]
        names.append(module)
    return names


def modules_of(distribution: str) -> Names:
    """Give the known top-level modules of a distribution, or else its own name."""
    modules = set(_installed_modules().get(distribution, ()))
    for module in _modules_in_table().get(distribution, ()):
        modules.add(module.partition(".")[0])
    if not modules:
        modules.add(distribution.replace("-", "_"))
    return frozenset(modules)


def inverted(names_of: Mapping[str, Iterable[str]]) -> NamesByName:
    """Give the modules of each distribution, from the distributions of each module."""
    modules_of_name: dict[str, set[str]] = {}
    for module, names in names_of.items():
        for name in names:
            modules_of_name.setdefault(name, set()).add(module)
    return {name: frozenset(modules) for name, modules in modules_of_name.items()}


@cache
def _modules_in_table() -> NamesByName:
    return inverted(_table())


@cache
def _installed_modules() -> NamesByName:
    return inverted(_installed())


@cache
def _table() -> NamesByName:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    modules = tomllib.loads(text)["modules"]
    return {module: frozenset(names) for module, names in modules.items()}


@cache
def _installed() -> NamesByName:
    return {
        module: frozenset(map(canonicalize_name, names))
        for module, names in packages_distributions().items()
        if names
    }
