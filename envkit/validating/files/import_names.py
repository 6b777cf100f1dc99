"""Which distributions have a module, asked without any of them being installed.

Asked in this order: the distributions that are installed beside envkit, whose records are certain;
the table `import_names.toml`, of what is named otherwise than its modules; and the name itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def providers(module: str) -> tuple[frozenset[str], bool]:
    """Give the normalised names of the distributions that have a module, and whether that is known, not guessed.

    Of a guess each package around the module counts: `google.cloud.storage` may be that of
    `google-cloud-storage`.
    """
    parts = module.split(".")
    around = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    names = [canonicalize_name(each) for each in around]
    for name in around:
        if name in _table():
            return frozenset((*_table()[name], *names)), True
    installed = _installed().get(parts[0], frozenset())
    return frozenset((*installed, *names)), bool(installed)


def modules_of(distribution: str) -> frozenset[str]:
    """Give the top-level modules that a distribution is known to have; by its name alone when none are known."""
    listed, installed = _known()
    known = frozenset(each.partition(".")[0] for each in listed.get(distribution, ()))
    return known | installed.get(distribution, frozenset()) or frozenset(
        {distribution.replace("-", "_")}
    )


def inverted(names_of: Mapping[str, Iterable[str]]) -> Mapping[str, frozenset[str]]:
    """Give the modules of each distribution, where the distributions of each module are given."""
    found: dict[str, set[str]] = {}
    for module, names in names_of.items():
        for name in names:
            found.setdefault(name, set()).add(module)
    return {name: frozenset(modules) for name, modules in found.items()}


@cache
def _known() -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """The modules of each distribution: by the table, and by what is installed."""
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
