"""What interpreters are, remembered per file: real path, size and time of change.

Only starting an interpreter shows what it is. Remembering it lets a second search start nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import NotAnInterpreter
from envkit.interpreters.interpreter import Interpreter

# shorter than for an interpreter that the user named: a search tries several
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """One program, with the size and the time of change of the file that was started."""

    interpreter: Interpreter
    size: int
    mtime_ns: int

    def is_of(self, status: os.stat_result) -> bool:
        return (self.size, self.mtime_ns) == (status.st_size, status.st_mtime_ns)


class KnownInterpreters:
    """What interpreters are, in one file that may be lost, damaged or read-only without harm."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._entries = dict(_load(memory))

    def identify(self, executable: Path, *, follow: bool = True) -> Interpreter | None:
        """Return the interpreter at a path; None when nothing is there or it does not work.

        A launcher, or a program that was copied into a virtual environment, leads to its base;
        `follow` says whether to go there.
        """
        real = Path(os.path.realpath(executable))
        try:
            status = real.stat()
        except OSError:
            return None
        entry = self._entries.get(str(real))
        if entry is None or not entry.is_of(status):
            interpreter = _start(real)
            if interpreter is None:
                return None
            entry = _Entry(interpreter, status.st_size, status.st_mtime_ns)
            self._remember(real, entry)
        if entry.interpreter.executable == real:
            return entry.interpreter
        if follow:
            return self.identify(entry.interpreter.executable, follow=False)
        return None

    def _remember(self, real: Path, entry: _Entry) -> None:
        # 3 ms, only where an interpreter is new
        import tempfile

        self._entries = {**dict(_load(self._memory)), **self._entries, str(real): entry}
        content = {path: _as_json(entry) for path, entry in self._entries.items()}
        # a read-only store: the next search starts the interpreter again
        with suppress(OSError):
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._memory.parent, prefix=".interpreters-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(content, stream, indent=1)
            Path(temporary).replace(self._memory)


def _start(executable: Path) -> Interpreter | None:
    # a warm run starts nothing
    from envkit.child import variables
    from envkit.interpreters.describe import ask

    try:
        report = ask(
            executable, variables.for_installer(os.environ), isolated=True, seconds=_SECONDS
        )
        return Interpreter.from_report(report)
    except (NotAnInterpreter, KeyError, TypeError):
        return None


def _load(memory: Path) -> Iterator[tuple[str, _Entry]]:
    try:
        content = json.loads(memory.read_bytes())
        for path, values in content.items():
            yield path, _from_json(values)
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return


def _as_json(entry: _Entry) -> dict[str, Any]:
    interpreter = entry.interpreter
    return {
        "executable": str(interpreter.executable),
        "version": interpreter.version,
        "implementation": interpreter.implementation,
        "platform": interpreter.platform,
        "abi": interpreter.abi,
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
    }


def _from_json(values: Any) -> _Entry:
    interpreter = Interpreter(
        executable=Path(values["executable"]),
        version=values["version"],
        implementation=values["implementation"],
        platform=values["platform"],
        abi=values["abi"],
    )
    return _Entry(interpreter, values["size"], values["mtime_ns"])
