"""Find the interpreter of a version on this machine.

Looked at in this order: the interpreter that runs envkit (its base, when that is a virtual environment),
pyenv's versions, those that uv manages, and `pythonX.Y` on the PATH. What an interpreter is can only be learnt
by starting it; that is remembered per file (real path, size, time of change), so that a second search starts
nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from envkit.errors import InterpreterNotFound

_PROBE_SECONDS = 20.0
_PROBE = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": platform.python_version(),
    "implementation": sys.implementation.name,
    "platform": sysconfig.get_platform(),
    "abi": sysconfig.get_config_var("SOABI") or "",
}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """One Python program.

    executable: its real path, no link, never inside a virtual environment.
    abi: `SOABI`, which tells a free-threaded or debug build from a plain one of the same version.
    size, mtime_ns: of the executable; when they change it is another interpreter.
    note: what the caller should be told about this choice, or empty.
    """

    executable: Path
    version: str
    implementation: str
    platform: str
    abi: str
    size: int
    mtime_ns: int
    note: str = ""

    @property
    def minor(self) -> str:
        """`3.11` of `3.11.7`."""
        return minor_of(self.version)

    @property
    def is_plain(self) -> bool:
        """Whether it is neither free-threaded nor a debug build."""
        return not re.match(r"cpython-\d+[td]", self.abi)


def minor_of(version: str) -> str:
    """Give `3.11` for `3.11.7`."""
    return ".".join(version.split(".")[:2])


def find(wanted: str, *, environ: Mapping[str, str], memory: Path) -> Interpreter:
    """Find an interpreter of version `wanted` (`3.11.7`; with `3.11` any patch version is exact).

    The exact version wins wherever it is; otherwise the newest patch version of the same minor version is taken
    and carries a note. `environ` are envkit's variables (PATH, PYENV_ROOT, …); `memory` is the file that
    remembers what interpreters are, written when possible. Raises `InterpreterNotFound`.
    """
    known = KnownInterpreters(memory)
    close: list[Interpreter] = []
    for executable in _candidates(minor_of(wanted), wanted, environ):
        interpreter = known.identify(executable)
        if interpreter is None or interpreter.implementation != "cpython" or not interpreter.is_plain:
            continue
        if f"{interpreter.version}.".startswith(f"{wanted}."):
            return interpreter
        if interpreter.minor == minor_of(wanted):
            close.append(interpreter)
    if not close:
        raise InterpreterNotFound(wanted, _places(minor_of(wanted), environ))
    best = max(close, key=lambda each: _order(each.version))
    return replace(best, note=f"Python {wanted} is not on this machine; {best.version} is used in its place.")


def named(executable: Path, wanted: str, *, memory: Path) -> Interpreter:
    """Take the interpreter at a path that the user named; it must be of the wanted minor version."""
    interpreter = KnownInterpreters(memory).identify(executable)
    if interpreter is None:
        raise InterpreterNotFound(wanted, (f"{executable}, which is no Python that starts",))
    if interpreter.minor != minor_of(wanted):
        raise InterpreterNotFound(wanted, (f"{executable}, which is Python {interpreter.version}",))
    if not f"{interpreter.version}.".startswith(f"{wanted}."):
        note = f"The model wants Python {wanted}; {executable} is {interpreter.version}."
        return replace(interpreter, note=note)
    return interpreter


class KnownInterpreters:
    """What interpreters are, remembered in one small file that may be lost, damaged or read-only without harm."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._facts = _load(memory)

    def identify(self, executable: Path, *, follow: bool = True) -> Interpreter | None:
        """Say what the program at a path is; None when it is not there or no Python that starts.

        A launcher, or a copied program inside a virtual environment, leads to its base; `follow` says whether to.
        """
        real = Path(os.path.realpath(executable))
        try:
            status = real.stat()
        except OSError:
            return None
        known = self._facts.get(str(real))
        if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return self._base(known, real, follow=follow)
        found = _probe(real)
        if found is None:
            return None
        own = replace(found, size=status.st_size, mtime_ns=status.st_mtime_ns)
        self._remember(real, own)
        return self._base(own, real, follow=follow)

    def _base(self, found: Interpreter, asked: Path, *, follow: bool) -> Interpreter | None:
        if found.executable == asked:
            return found
        return self.identify(found.executable, follow=False) if follow else None

    def _remember(self, real: Path, interpreter: Interpreter) -> None:
        self._facts = {**_load(self._memory), **self._facts, str(real): interpreter}
        facts = {path: asdict(each) | {"executable": str(each.executable)} for path, each in self._facts.items()}
        with suppress(OSError):  # a read-only store: the next search asks the interpreter again
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._memory.parent, prefix=".interpreters-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(facts, stream, indent=1)
            Path(temporary).replace(self._memory)


def _load(memory: Path) -> dict[str, Interpreter]:
    try:
        return {
            path: Interpreter(**{**facts, "executable": Path(facts["executable"])})
            for path, facts in json.loads(memory.read_bytes()).items()
        }
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}


def _probe(executable: Path) -> Interpreter | None:
    from envkit.child import environment, process  # nothing is started on a warm run

    try:
        ended = process.run(
            [executable, "-I", "-c", _PROBE],
            environment=environment.for_installer(os.environ),
            timeout=_PROBE_SECONDS,
            keep_output=True,
        )
        facts = json.loads(ended.output.splitlines()[-1])
        return Interpreter(**{**facts, "executable": Path(facts["executable"])}, size=0, mtime_ns=0)
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def _candidates(minor: str, wanted: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield programs that may be of this minor version, each once, those that promise the exact version first."""
    seen: set[str] = set()
    for executable in (*_running(minor), *_pyenv(minor, wanted, environ), *_uv(minor, wanted, environ)):
        if (real := os.path.realpath(executable)) not in seen:
            seen.add(real)
            yield executable
    for executable in _on_path(minor, environ):
        if (real := os.path.realpath(executable)) not in seen:
            seen.add(real)
            yield executable


def _running(minor: str) -> list[Path]:
    if minor != f"{sys.version_info.major}.{sys.version_info.minor}":
        return []
    return [Path(getattr(sys, "_base_executable", None) or sys.executable)]


def _pyenv(minor: str, wanted: str, environ: Mapping[str, str]) -> list[Path]:
    folders = _folders(pyenv_versions(environ), rf"{re.escape(minor)}\.\d+")
    return [folder / "bin" / f"python{minor}" for folder in _exact_first(folders, wanted)]


def _uv(minor: str, wanted: str, environ: Mapping[str, str]) -> list[Path]:
    folders = _folders(uv_versions(environ), rf"cpython-{re.escape(minor)}\.\d+-[\w.-]+")
    return [folder / "bin" / f"python{minor}" for folder in _exact_first(folders, f"cpython-{wanted}-")]


def _on_path(minor: str, environ: Mapping[str, str]) -> Iterator[Path]:
    shims = str(pyenv_versions(environ).parent / "shims")  # scripts that only lead to what was looked at already
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder and os.path.normpath(folder) != shims:
            program = Path(folder) / f"python{minor}"
            if program.is_file():
                yield program


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return [each for each in parent.iterdir() if re.fullmatch(pattern, each.name)]
    except OSError:
        return []


def _exact_first(folders: list[Path], wanted: str) -> list[Path]:
    return sorted(folders, key=lambda each: (not each.name.startswith(wanted), each.name))


def pyenv_versions(environ: Mapping[str, str]) -> Path:
    """The folder in which pyenv keeps interpreters."""
    root = environ.get("PYENV_ROOT")
    return (Path(root) if root else Path.home() / ".pyenv") / "versions"


def uv_versions(environ: Mapping[str, str]) -> Path:
    """The folder in which uv keeps interpreters."""
    if folder := environ.get("UV_PYTHON_INSTALL_DIR"):
        return Path(folder)
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "uv" / "python"


def _places(minor: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    return (
        "the interpreter that runs envkit",
        str(pyenv_versions(environ)),
        str(uv_versions(environ)),
        f"python{minor} on the PATH",
    )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
