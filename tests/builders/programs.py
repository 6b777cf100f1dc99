"""Programs that tests start."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol


class Envkit(Protocol):
    """Runs `envkit` in a process of its own; a failure fails the test unless it is expected."""

    def __call__(
        self, *words: str | Path, succeeds: bool = True, directory: Path = ...
    ) -> subprocess.CompletedProcess[str]: ...
