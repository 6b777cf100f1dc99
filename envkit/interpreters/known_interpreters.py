"""What interpreters are, remembered per file: real path, size and time of change.

Only starting an interpreter shows what it is. Remembering it lets a second search start nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from envkit.errors import NotAnInterpreter
from envkit.interpreters.interpreter import Interpreter
from envkit.models import store_folder

# shorter than for an interpreter that the user named: a search tries several
_SECONDS = 20.0


Stamp = tuple[int, int]
"""Size and time of change of the file of a program, in nanoseconds."""


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
        stamp = (status.st_size, status.st_mtime_ns)
        interpreter, known_stamp = self._entries.get(str(real), (None, None))
        if interpreter is None or known_stamp != stamp:
            interpreter = _start(real)
            if interpreter is None:
                return None
            self._remember(real, interpreter, stamp)
        if interpreter.executable == real:
            return interpreter
        if follow:
            return self.identify(interpreter.executable, follow=False)
        return None

    def _remember(self, real: Path, interpreter: Interpreter, stamp: Stamp) -> None:
        # 3 ms, only where an interpreter is new
        import tempfile

        others = dict(_load(self._memory))
        self._entries = {**others, **self._entries, str(real): (interpreter, stamp)}
        content = {path: _as_json(*entry) for path, entry in self._entries.items()}
        # a read-only store: the next search starts the interpreter again
        with suppress(OSError):
            store_folder.create(self._memory.parent)
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


def _load(memory: Path) -> Iterator[tuple[str, tuple[Interpreter, Stamp]]]:
    try:
        content = json.loads(memory.read_bytes())
        for path, values in content.items():
            yield path, _from_json(values)
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return


def _as_json(interpreter: Interpreter, stamp: Stamp) -> dict[str, Any]:
    size, mtime_ns = stamp
    return {
        "executable": str(interpreter.executable),
        "version": interpreter.version,
        "implementation": interpreter.implementation,
        "platform": interpreter.platform,
        "abi": interpreter.abi,
        "size": size,
        "mtime_ns": mtime_ns,
    }


def _from_json(values: Any) -> tuple[Interpreter, Stamp]:
    interpreter = Interpreter(
        executable=Path(values["executable"]),
        version=values["version"],
        implementation=values["implementation"],
        platform=values["platform"],
        abi=values["abi"],
    )
    return interpreter, (values["size"], values["mtime_ns"])
