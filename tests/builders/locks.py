"""What locks are made of, and what is in them."""

from __future__ import annotations

import sys
from pathlib import Path

from envkit.formats import pylock_toml
from envkit.formats.pylock_toml import LockedPackage
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.facts import InterpreterFacts
from envkit.locking.lock import Locked, Unlocked
from tests.builders.sites import Site

FACTS = InterpreterFacts(
    executable=sys.executable,
    version="3.11.7",
    implementation="cpython",
    platform="linux-x86_64",
    stdlib=(),
    sys_path=(),
    markers={},
    tools={},
)


def installed(site: Site, *names: str) -> list[Distribution]:
    """Give the distributions of these names that the site folder has."""
    distributions = InstalledDistributions([str(site.folder)])
    return [
        distribution for name in names if (distribution := distributions.named(name)) is not None
    ]


def packages_in(lock: Path) -> dict[str, LockedPackage]:
    """Give the packages of a lock file by name."""
    return {package["name"]: package for package in pylock_toml.read(lock).packages}


def locked_packages(result: Locked | Unlocked, folder: Path) -> dict[str, LockedPackage]:
    """Write a lock that was made, and give its packages by name."""
    assert isinstance(result, Locked), result
    path = folder / "pylock.toml"
    path.write_text(result.text, encoding="utf-8")
    return packages_in(path)
