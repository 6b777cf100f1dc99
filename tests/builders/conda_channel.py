"""A conda channel made of the interpreters of the machine that runs the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_conda_channel"
PYTHONS = ("3.11", "3.10")


class NoChannel(Exception):
    """No channel can be made on this machine."""


@dataclass(frozen=True, kw_only=True)
class CondaChannel:
    """A channel. pythons: its versions of Python, the preferred one first."""

    path: Path
    pythons: tuple[str, ...]

    @property
    def url(self) -> str:
        """Its URL."""
        return self.path.as_uri()

    @property
    def python(self) -> str:
        """Its preferred version of Python."""
        return self.pythons[0]

    @property
    def subdir(self) -> str:
        """The folder of the packages for the machine's platform."""
        return next(
            folder.name for folder in self.path.iterdir() if folder.name not in ("noarch", "index")
        )

    def archive(self, name: str) -> Path:
        """The first archive of a package."""
        return next(self.path.glob(f"*/{name}-*.conda"))


def shared_channel(folder: Path) -> CondaChannel:
    """Give the channel in a folder; the first caller makes it, and its failure is remembered."""
    outcome_file = folder / "outcome.json"
    if not outcome_file.exists():
        folder.mkdir(exist_ok=True)
        outcome_file.write_text(json.dumps(_make(folder / "channel")))
    outcome = json.loads(outcome_file.read_text())
    if "problem" in outcome:
        raise NoChannel(outcome["problem"])
    return CondaChannel(path=folder / "channel", pythons=tuple(outcome["pythons"]))


def _make(channel: Path) -> dict[str, object]:
    """Make it of Python 3.11 and 3.10 if they are installed, else of 3.11, else of any version."""
    problem = ""
    for versions in (PYTHONS, PYTHONS[:1], ()):
        options = [word for version in versions for word in ("--python", version)]
        ended = subprocess.run(
            [sys.executable, SCRIPT, channel, *options], capture_output=True, text=True, check=False
        )
        if ended.returncode == 0:
            archives = [line for line in ended.stdout.splitlines() if line.startswith("python-")]
            pythons = {archive.split("-")[1] for archive in archives}
            return {"pythons": sorted(pythons, reverse=True)}
        problem = ended.stderr.strip()
    return {"problem": problem}
