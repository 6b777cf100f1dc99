"""What locks are made of, and what is in them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from envkit.formats import pylock_toml
from envkit.formats.pylock import Package
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


def packages_of(*tables: Mapping[str, Any]) -> Sequence[Package]:
    """Give the packages that `[[packages]]` tables state."""
    content = {"lock-version": "1.0", "created-by": "test", "packages": list(tables)}
    return pylock_toml.parse(tomli_w.dumps(content), Path(pylock_toml.FILE_NAME)).packages


def lock_text(
    packages: Iterable[Mapping[str, Any]],
    requires_python: str | None = None,
    environments: Sequence[str] = (),
) -> str:
    """Give the text of a lock of these tables."""
    return pylock_toml.dumps(
        packages=packages_of(*packages), requires_python=requires_python, environments=environments
    )


def packages_in(lock: Path) -> dict[str, Mapping[str, Any]]:
    """Give the `[[packages]]` tables of a lock file by name."""
    tables = tomllib.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {table["name"]: table for table in tables}


def locked_packages(result: Locked | Unlocked, folder: Path) -> dict[str, Mapping[str, Any]]:
    """Write a lock that was made, and give its packages by name."""
    assert isinstance(result, Locked), result
    path = folder / "pylock.toml"
    path.write_text(result.text, encoding="utf-8")
    return packages_in(path)
