"""Programs that tests start."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol


class Envkit(Protocol):
    """Runs `envkit` in a process of its own; fails the test where it should succeed and does not."""

    def __call__(
        self, *words: str | Path, succeeds: bool = True, directory: Path = ...
    ) -> subprocess.CompletedProcess[str]: ...
