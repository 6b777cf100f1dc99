"""Find yanked versions (PEP 592) in a lock that uv installs without asking an index.

pip always asks the index and reports them. Here uv asks the indexes while the installation runs, so
that a build takes no longer. Without an answer soon after it, for example without a network,
nothing is reported: what a lock pins is installed in any case.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from envkit.child import process, uv
from envkit.environments import locked_packages
from envkit.environments.installers.installer import Workshop
from envkit.errors import ToolNotFound
from envkit.formats import uv_toml
from envkit.formats.credentials import filled
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import RequirementOrigin
from envkit.interpreters.interpreter import Interpreter

_SECONDS = 20.0
_PATIENCE_SECONDS = 1.0  # after the installation
_YANKED = re.compile(r"^warning: (`[^`]+` is yanked.*)", re.MULTILINE)


class Inquiry:
    """Asks the indexes which packages of a lock are yanked, from its creation on.

    The environment's folder must exist.
    """

    def __init__(self, lock: LockFile, interpreter: Interpreter, workshop: Workshop) -> None:
        self._found: list[str] = []
        self._interpreter, self._workshop = interpreter, workshop
        self._questions = tuple(self._written(lock))
        # who is interrupted does not wait for it
        self._thread = threading.Thread(target=self._ask, daemon=True)
        if self._questions and "UV_OFFLINE" not in workshop.variables:
            self._thread.start()

    def notes(self) -> tuple[str, ...]:
        """Give what was found, a sentence each; waits a moment for it."""
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE_SECONDS)
        return tuple(self._found)

    def _written(self, lock: LockFile) -> Iterator[tuple[list[str | Path], dict[str, str]]]:
        """Yield uv's arguments and variables for each index. The thread itself writes no files."""
        for number, (index, pins) in enumerate(_pins(lock).items()):
            argv: list[str | Path] = [
                "pip",
                "compile",
                self._workshop.write(f"pins-{number}.in", pins),
            ]
            argv += ["--no-deps", "--no-header", "--no-annotate", "--no-build", "--color", "never"]
            argv += ["--cache-dir", self._workshop.cache, "--python", self._interpreter.executable]
            argv += uv_toml.arguments(
                {} if index else self._workshop.settings, self._workshop.papers
            )
            yield argv, _variables(index, self._workshop.variables)

    def _ask(self) -> None:
        try:
            program = uv.program()
            for argv, variables in self._questions:
                ended = process.run(
                    [program, *argv],
                    environment=variables,
                    timeout=_SECONDS,
                    keep_output=True,
                    supervised=True,
                )
                self._found += map(str.strip, _YANKED.findall(ended.output))
        except (OSError, ToolNotFound):  # it is not worth a failure
            return


def _pins(lock: LockFile) -> dict[str, list[str]]:
    """Give the pins of each index of a lock; an empty text is what this machine takes for PyPI."""
    pins: dict[str, list[str]] = {}
    other_indexes = locked_packages.indexes(lock)
    for package in lock.lock.packages:
        if locked_packages.origin_of(package) is not RequirementOrigin.INDEX:
            continue
        if package.version is None:
            continue
        marker = f" ; {package.marker}" if package.marker else ""
        index = package.index if package.index in other_indexes else ""
        pins.setdefault(index or "", []).append(f"{package.name}=={package.version}{marker}")
    return pins


def _variables(index: str, variables: Mapping[str, str]) -> dict[str, str]:
    if not index:
        return dict(variables)
    kept = {
        name: value
        for name, value in variables.items()
        if not name.startswith(("UV_INDEX", "UV_EXTRA_INDEX"))
    }
    # not an argument, which others can read
    return {**kept, "UV_DEFAULT_INDEX": filled(index, variables)}
