"""Entry points of installed distributions.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions

FILE_NAME = "entry_points.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPoint:
    """A name under which a distribution offers something of a module.

    Attributes:
        name: The name.
        module: The module to import.
        distribution: The distribution that declares the entry point.
    """

    name: str
    module: str
    distribution: Distribution


def of_group(installed: InstalledDistributions, group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of a group. This reads a file of each installed distribution."""
    for distribution in installed:
        for name, value in _section(distribution, group).items():
            module = value.partition(":")[0].strip()
            yield EntryPoint(name=name, module=module, distribution=distribution)


def _section(distribution: Distribution, group: str) -> Mapping[str, str]:
    try:
        text = (distribution.folder / FILE_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return dict(parser[group]) if parser.has_section(group) else {}
