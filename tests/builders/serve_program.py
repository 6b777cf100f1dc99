"""The program `envkit serve` as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = [sys.executable, "-m", "envkit", "serve", "--env-manager", "local", "--port", "0"]


@contextmanager
def program(
    model: Path, *words: str, ready: bool = True
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `envkit serve`; gives the process, whose output is kept, and the URL."""
    argv = [*PROGRAM, *words, str(model)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            url = re.search(r"http://\S+", process.stderr.readline()) if ready else None
            yield process, url[0] if url else ""
        finally:
            process.kill()
