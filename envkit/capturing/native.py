"""What the model uses besides Python code: programs that it started, and native libraries that were loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace
from envkit.installed import dpkg
from envkit.installed.conda_meta import CondaPrefix
from envkit.models.capture_warnings import CaptureWarning, WarningKind

OF_EVERY_PYTHON = re.compile(
    r"lib(z|ssl|crypto|ffi|bz2|lzma|sqlite3|uuid|expat|readline|tinfo|ncursesw?|panelw?|gdbm|gdbm_compat|db-\d.*"
    r"|nsl|tirpc|crypt|gcc_s|stdc\+\+)[.\-]"
)
"""Libraries that the standard library links, or that wheels may presuppose anywhere (PEP 600)."""


def libraries(trace: Trace, places: Places) -> list[dict[str, str | None]]:
    """Give the native libraries as JSON, each with who owns it. Extension modules are modules, and left out."""
    owned = _owned(_libraries(trace), places, CondaPrefix.of(trace.interpreter.executable))
    return [{"path": places.relative(path), **owner} for path, owner in owned]


def used(trace: Trace) -> set[str]:
    """The paths of native libraries, and of programs but for the interpreter itself."""
    return _libraries(trace) | _programs(trace)


def processes(trace: Trace, places: Places) -> list[dict[str, Any]]:
    """Give the programs that were started as JSON, without their arguments, which may hold secrets.

    The environment's own interpreter is `python`, wherever it lies.
    """
    own = trace.interpreter.executable
    absent = {each.argv[0] for each in trace.processes if each.path is None and each.argv}
    absent |= {"python" for each in trace.processes if each.runs(own)}
    owned = _owned(_programs(trace), places, CondaPrefix.of(own))
    nobody = {"distribution": None, "debian_package": None, "conda_package": None}
    found = [{"program": places.relative(path), **owner} for path, owner in owned]
    return found + [{"program": name, **nobody} for name in sorted(absent)]


def warnings(trace: Trace) -> Iterator[CaptureWarning]:
    """Tell of the Python processes that could not be recorded."""
    interpreter = trace.interpreter.executable
    flags = {
        flag
        for each in trace.processes
        if each.runs(interpreter)
        for flag in _hiding_flags(each.argv[1:])
    }
    for flag in sorted(flags):
        yield CaptureWarning(
            kind=WarningKind.UNSEEN_PROCESS,
            subject=f"python -{flag}",
            detail=f"a Python process was started with -{flag}: what it imports is not known",
        )


def unseen(trace: Trace) -> Iterator[tuple[str, ...]]:
    """Yield the words after the program's name of each Python process that could not be recorded."""
    for each in trace.processes:
        words = each.argv[1:]
        if each.runs(trace.interpreter.executable) and any(_hiding_flags(words)):
            yield words


def _hiding_flags(words: tuple[str, ...]) -> Iterator[str]:
    """Yield those of `-I`, `-E` and `-S` that are among an interpreter's own options."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word in ("-", "--") or word.startswith("--"):
            return
        for letter in word[1:]:
            if letter in "IES":
                yield letter
            if letter in "XW":
                if word.endswith(letter):
                    next(rest, None)
                break
            if letter in "cm":
                return


def _is_common(path: str) -> bool:
    return OF_EVERY_PYTHON.match(Path(path).name) is not None


def _libraries(trace: Trace) -> set[str]:
    modules = {file for file in trace.files.values() if file is not None}
    return {path for path in trace.loaded if path not in modules and not _is_common(path)}


def _programs(trace: Trace) -> set[str]:
    own = trace.interpreter.executable
    return {each.path for each in trace.processes if each.path is not None and not each.runs(own)}


def _owned(
    paths: set[str], places: Places, prefix: CondaPrefix | None
) -> Iterator[tuple[str, dict[str, str | None]]]:
    distributions = {path: places.owner(path) for path in paths}
    packages = dpkg.owners(
        frozenset(path for path, owner in distributions.items() if owner is None)
    )
    for path in sorted(paths):
        owner = distributions[path]
        conda = prefix.owner(path) if prefix is not None else None
        yield (
            path,
            {
                "distribution": owner.name if owner else None,
                "debian_package": packages.get(path),
                "conda_package": conda.name if conda else None,
            },
        )
