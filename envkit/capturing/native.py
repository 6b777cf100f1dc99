"""Programs that the model started, and native libraries that it loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace
from envkit.installed import dpkg
from envkit.installed.conda_packages import CondaPrefix
from envkit.models.capture_warnings import CaptureWarning, WarningKind

OF_EVERY_PYTHON = re.compile(
    r"lib(z|ssl|crypto|ffi|bz2|lzma|sqlite3|uuid|expat|readline|tinfo|ncursesw?|panelw?"
    r"|gdbm|gdbm_compat|db-\d.*|nsl|tirpc|crypt|gcc_s|stdc\+\+)[.\-]"
)
"""Libraries that the standard library links, or that wheels may expect anywhere (PEP 600)."""

HIDING_OPTIONS = "IES"
"""Options of the interpreter that ignore `PYTHON*` variables or `site`, and so the tracer."""

OPTIONS_WITH_VALUE = "XW"
OPTIONS_BEFORE_CODE = "cm"


def libraries(trace: Trace, places: Places) -> list[dict[str, str | None]]:
    """Return the native libraries as JSON objects, each with its owners; not extension modules."""
    prefix = CondaPrefix.of(trace.interpreter.executable)
    owners = _owners(_libraries(trace), places, prefix)
    return [{"path": places.relative(path), **owner} for path, owner in owners]


def processes(trace: Trace, places: Places) -> list[dict[str, Any]]:
    """Return the programs that were started as JSON objects, without their arguments.

    Arguments may hold secrets. The environment's own interpreter is `python`, wherever it lies.
    """
    interpreter = trace.interpreter.executable
    unowned: set[str] = set()
    for process in trace.processes:
        if process.runs(interpreter):
            unowned.add("python")
        elif process.path is None and process.argv:
            unowned.add(process.argv[0])
    owners = _owners(_programs(trace), places, CondaPrefix.of(interpreter))
    nobody = {"distribution": None, "debian_package": None, "conda_package": None}
    return [
        *({"program": places.relative(path), **owner} for path, owner in owners),
        *({"program": name, **nobody} for name in sorted(unowned)),
    ]


def used(trace: Trace) -> set[str]:
    """The paths of native libraries, and of programs except the interpreter itself."""
    return _libraries(trace) | _programs(trace)


def warnings(trace: Trace) -> Iterator[CaptureWarning]:
    """Yield the options with which Python processes were started that could not be traced."""
    options = {option for words in _python_processes(trace) for option in _hiding_options(words)}
    for option in sorted(options):
        detail = f"a Python process was started with -{option}: what it imports is not known"
        yield CaptureWarning(
            kind=WarningKind.UNSEEN_PROCESS, subject=f"python -{option}", detail=detail
        )


def unseen(trace: Trace) -> Iterator[tuple[str, ...]]:
    """Yield the arguments of each Python process that could not be traced."""
    for words in _python_processes(trace):
        if any(_hiding_options(words)):
            yield words


def _python_processes(trace: Trace) -> Iterator[tuple[str, ...]]:
    for process in trace.processes:
        if process.runs(trace.interpreter.executable):
            yield process.argv[1:]


def _hiding_options(words: Iterable[str]) -> Iterator[str]:
    """Yield the hiding options among an interpreter's own, which end at the program to run."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word.startswith("--") or word == "-":
            return
        for letter in word[1:]:
            if letter in HIDING_OPTIONS:
                yield letter
            if letter in OPTIONS_BEFORE_CODE:
                return
            if letter in OPTIONS_WITH_VALUE:
                if word.endswith(letter):  # the value is the next word
                    next(rest, None)
                break


def _libraries(trace: Trace) -> set[str]:
    modules = {file for file in trace.files.values() if file is not None}
    return {
        path
        for path in trace.loaded
        if path not in modules and not OF_EVERY_PYTHON.match(Path(path).name)
    }


def _programs(trace: Trace) -> set[str]:
    interpreter = trace.interpreter.executable
    return {
        process.path
        for process in trace.processes
        if process.path is not None and not process.runs(interpreter)
    }


def _owners(
    paths: Iterable[str],
    places: Places,
    prefix: CondaPrefix | None,
) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Yield each path, in order, with what installed it."""
    distributions = {path: places.owner(path) for path in paths}
    others = frozenset(path for path, owner in distributions.items() if owner is None)
    debian = dpkg.owners(others)
    for path, owner in sorted(distributions.items()):
        conda = prefix.owner(path) if prefix is not None else None
        owners = {
            "distribution": owner.name if owner is not None else None,
            "debian_package": debian.get(path),
            "conda_package": conda.name if conda is not None else None,
        }
        yield path, owners
