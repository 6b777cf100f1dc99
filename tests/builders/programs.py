"""Programs that tests start, and what they run in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest


class Envkit(Protocol):
    """Runs `envkit` in a process of its own; a failure fails the test unless it is expected."""

    def __call__(
        self, *words: str | Path, succeeds: bool = True, directory: Path = ...
    ) -> subprocess.CompletedProcess[str]: ...


def run_hidden(
    folders: Sequence[Path], argv: Sequence[str | Path], **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in namespaces where these folders are empty and there is no network."""
    mounts = [f'mount -t tmpfs none "${number}"' for number in range(1, len(folders) + 1)]
    script = " && ".join([*mounts, f"shift {len(folders)}", 'exec "$@"'])
    namespaces = ["unshare", "--map-root-user", "--mount", "--net"]
    ended = subprocess.run(
        [*namespaces, "sh", "-c", script, "sh", *folders, *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    if "unshare failed" in ended.stderr or "Operation not permitted" in ended.stderr:
        pytest.skip("namespaces are not permitted on this machine")
    return ended


def bound_by_permissions() -> list[str]:
    """Give the prefix of a command that makes permissions apply, also when run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root cannot give up its privileges without setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]


def descendants(pid: int) -> list[int]:
    """Give the ids of the processes that a process started, directly or not."""
    pids = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            pids += [int(child), *descendants(int(child))]
    return pids
