"""The settings of the user's conda: asked of the program, which knows all places where they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envkit.child import process, variables
from envkit.child.variables import Variables
from envkit.formats import conda_json, condarc
from envkit.formats.condarc import Condarc

_PATIENCE = 60  # seconds
_DECIDING = ("CONDA", "MAMBA", "XDG_CONFIG_HOME", "HOME")


def of_program(program: Path, environ: Variables, memory: Path | None = None) -> Condarc:
    """Return the settings that `program config --show-sources --json` answers.

    The files that envkit knows are read instead where the program does not answer so, as mamba 2
    and micromamba, and where it agreed with these files the last time and nothing changed since.
    `memory` is the file that remembers this, as a digest: an answer costs conda half a second, and
    may hold credentials.

    Raises `InvalidFile` for malformed settings.
    """
    root = installation(program)
    own = condarc.of_machine(environ, Path.home(), root)
    state = _state(program, root, environ)
    if memory is not None and _recalled(memory) == state:
        return own
    answered = _answer(program, environ)
    if answered == own and memory is not None:
        _remember(memory, state)
    return answered or own


def installation(program: Path) -> Path:
    """Return the folder of the installation that a program is in, through links to it."""
    return program.resolve().parent.parent


def _answer(program: Path, environ: Variables) -> Condarc | None:
    try:
        ended = process.run(
            [program, "config", "--show-sources", "--json"],
            environment=variables.for_installer(environ),
            timeout=_PATIENCE,
            keep_output=True,
        )
    except OSError:
        return None
    if not ended.succeeded:
        return None
    for answer in conda_json.answers(ended.output):
        return condarc.of_sources(answer, environ)
    return None


def _state(program: Path, root: Path, environ: Variables) -> str:
    """Return a digest of what decides the answer: the program, its files and variables."""
    total = hashlib.sha256()
    for line in _facts(program, root, environ):
        total.update(f"{line}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _facts(program: Path, root: Path, environ: Variables) -> Iterator[str]:
    for path in (program, *condarc.files(environ, Path.home(), root)):
        status = path.stat()
        yield f"{path} {status.st_mtime_ns} {status.st_size}"
    for name, value in sorted(environ.items()):
        if name.startswith(_DECIDING):
            yield f"{name}={value}"


def _recalled(memory: Path) -> str:
    try:
        return memory.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _remember(memory: Path, state: str) -> None:
    temporary = memory.with_name(f"{memory.name}.{os.getpid()}")
    # a store that cannot be written costs the time of another answer
    with suppress(OSError):
        temporary.write_text(state, encoding="utf-8")
        temporary.replace(memory)
