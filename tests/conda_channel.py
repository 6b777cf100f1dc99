"""A conda channel made of this machine's interpreters, once a session; tests skip where there is none to be made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_conda_channel"
WANTED = ("3.11", "3.10")


@dataclass(frozen=True, kw_only=True)
class CondaChannel:
    """A channel. pythons: the versions that it has, the wanted one first."""

    path: Path
    pythons: tuple[str, ...]

    @property
    def url(self) -> str:
        """Its URL."""
        return self.path.as_uri()

    @property
    def python(self) -> str:
        """A version of Python that it has."""
        return self.pythons[0]

    @property
    def subdir(self) -> str:
        """The folder of this machine's packages."""
        return next(
            each.name for each in self.path.iterdir() if each.name not in ("noarch", "index")
        )

    def archive(self, name: str) -> Path:
        """The archive whose name begins so."""
        return next(self.path.glob(f"*/{name}-*.conda"))


@pytest.fixture(scope="session")
def conda_channel(tmp_path_factory: pytest.TempPathFactory) -> CondaChannel:
    """The channel, shared by all processes that run tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "conda-channel"
    with FileLock(f"{folder}.lock"):
        told = folder / "told.json"
        if not told.exists():
            folder.mkdir(exist_ok=True)
            told.write_text(json.dumps(_made(folder / "channel")))
    facts = json.loads(told.read_text())
    if "problem" in facts:
        pytest.skip(facts["problem"])
    return CondaChannel(path=folder / "channel", pythons=tuple(facts["pythons"]))


def _made(channel: Path) -> dict[str, object]:
    """Make it of Python 3.11 and 3.10 where they are, else of what is there."""
    for versions in (WANTED, WANTED[:1], ()):
        options = [part for each in versions for part in ("--python", each)]
        made = subprocess.run(
            [sys.executable, SCRIPT, channel, *options], capture_output=True, text=True, check=False
        )
        if made.returncode == 0:
            names = [
                line.split("-") for line in made.stdout.splitlines() if line.startswith("python-")
            ]
            return {"pythons": sorted((name[1] for name in names), reverse=True)}
    return {"problem": made.stderr.strip()}
