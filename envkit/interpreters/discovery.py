"""Find the interpreter of a version on this machine.

What an interpreter is can only be learnt by starting it; that is remembered per file (real path,
size, time of change), so that a second search starts nothing. Where they are looked for: see
`interpreter_places`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from envkit.child.interpreter import OLDEST
from envkit.errors import InterpreterNotFound
from envkit.interpreters import locations
from envkit.interpreters.locations import pyenv_versions
from envkit.interpreters.policy import PythonPolicy, nearest_minors

__all__ = [
    "Interpreter",
    "KnownInterpreters",
    "Search",
    "find",
    "minor_of",
    "named",
    "pyenv_versions",
]

UNPACKED = "pythons"  # in the store: interpreters that came with archives
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
    def is_usual(self) -> bool:
        """Whether it is CPython, and neither free-threaded nor a debug build."""
        return self.implementation == "cpython" and not re.match(r"cpython-\d+[td]", self.abi)


def minor_of(version: str) -> str:
    """Give `3.11` for `3.11.7`."""
    return ".".join(version.split(".")[:2])


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """How an interpreter is looked for.

    environ: envkit's variables (PATH, PYENV_ROOT, …). memory: the file that remembers what
    interpreters are, in the store's folder, written when possible. policy: what may take the place
    of the version. refuses: says why another minor version cannot be taken, or nothing. fetch:
    downloads an interpreter of a version (`3.11.7` or `3.11`) into a place that is searched, or
    says why it did not; None: nothing is downloaded.
    """

    environ: Mapping[str, str]
    memory: Path
    policy: PythonPolicy = PythonPolicy.MINOR
    refuses: Callable[[str], str] = lambda _: ""
    fetch: Callable[[str], str] | None = None

    @property
    def unpacked(self) -> Path:
        """The folder of interpreters that came with archives of environments."""
        return self.memory.parent / UNPACKED


def find(wanted: str, search: Search) -> Interpreter:
    """Find an interpreter of version `wanted` (`3.11.7`; with `3.11` any patch version is exact).

    The exact version wins wherever it is; then, as the policy allows, the newest patch version of
    the same minor version; then one that is downloaded; then the nearest other minor version. One
    that is not exact carries a note. Raises `InterpreterNotFound`.
    """
    known = KnownInterpreters(search.memory)
    found = _of_minor(minor_of(wanted), wanted, known, search)
    found = found or sorted(
        _discovered(minor_of(wanted), known, search), key=lambda each: _is_exact(each, wanted)
    )  # the exact one last
    if best := _best(found, wanted, search.policy):
        return best
    downloaded = _downloaded(wanted, known, search)
    if isinstance(downloaded, Interpreter):
        return downloaded
    refused = [downloaded] if downloaded else []
    if search.policy is PythonPolicy.COMPATIBLE:
        for minor in nearest_minors(minor_of(wanted)):
            if others := _of_minor(minor, minor, known, search):
                if why := search.refuses(minor):
                    refused.append(f"Python {others[0].version} is there, but {why}.")
                else:
                    return _noted(max(others, key=lambda each: _order(each.version)), wanted)
    elif found:
        refused.append(f"Python {found[0].version} is there: `--python-policy minor` takes it.")
    places = locations.names(minor_of(wanted), search.environ, search.unpacked)
    raise InterpreterNotFound(wanted, places, tuple(refused))


def named(executable: Path, wanted: str, search: Search) -> Interpreter:
    """Take the interpreter at a path that the user named, when the policy allows it. Raises `InterpreterNotFound`."""
    interpreter = KnownInterpreters(search.memory).identify(executable)
    if interpreter is None:
        raise InterpreterNotFound(wanted, (f"{executable}, which is no Python that starts",))
    if _is_exact(interpreter, wanted):
        return interpreter
    why = _why_not(interpreter, wanted, search)
    if why:
        raise InterpreterNotFound(
            wanted, (f"{executable}, which is Python {interpreter.version}",), (why,)
        )
    return replace(
        interpreter, note=f"The model wants Python {wanted}; {executable} is {interpreter.version}."
    )


def _why_not(interpreter: Interpreter, wanted: str, search: Search) -> str:
    if interpreter.minor == minor_of(wanted):
        if search.policy is PythonPolicy.EXACT:
            return "`--python-policy minor` takes it."
        return ""
    if search.policy is not PythonPolicy.COMPATIBLE:
        return "`--python-policy compatible` takes another minor version."
    if _order(interpreter.version) < OLDEST:
        return f"envkit needs Python {OLDEST[0]}.{OLDEST[1]} or newer."
    why = search.refuses(interpreter.minor)
    if why:
        return f"It cannot take its place: {why}."
    return ""


def _of_minor(
    minor: str, wanted: str, known: KnownInterpreters, search: Search
) -> list[Interpreter]:
    """Find all of a minor version; the search ends with the first that is exactly what is wanted, which is last."""
    found: list[Interpreter] = []
    for executable in locations.candidates(minor, wanted, search.environ, search.unpacked):
        interpreter = known.identify(executable)
        if interpreter and interpreter.is_usual and interpreter.minor == minor:
            found.append(interpreter)
            if _is_exact(interpreter, wanted):
                break
    return found


def _discovered(minor: str, known: KnownInterpreters, search: Search) -> list[Interpreter]:
    """Find all of a minor version as virtualenv does."""
    found = map(known.identify, locations.discovered(minor, search.environ, search.unpacked))
    return [each for each in found if each and each.is_usual and each.minor == minor]


def _is_exact(interpreter: Interpreter, wanted: str) -> bool:
    return f"{interpreter.version}.".startswith(f"{wanted}.")


def _best(found: list[Interpreter], wanted: str, policy: PythonPolicy) -> Interpreter | None:
    if found and _is_exact(found[-1], wanted):
        return found[-1]
    if not found or policy is PythonPolicy.EXACT:
        return None
    return _noted(max(found, key=lambda each: _order(each.version)), wanted)


def _noted(interpreter: Interpreter, wanted: str) -> Interpreter:
    note = f"Python {wanted} is not on this machine; {interpreter.version} is used in its place."
    if interpreter.minor != minor_of(wanted):
        note += " Pickled functions seldom survive another minor version."
    return replace(interpreter, note=note)


def _downloaded(wanted: str, known: KnownInterpreters, search: Search) -> Interpreter | str:
    """Download the version, or as the policy allows the newest of its minor version; give it, or why there is none."""
    if search.fetch is None:
        return ""
    why = search.fetch(wanted)
    if why and search.policy is not PythonPolicy.EXACT and wanted != minor_of(wanted):
        why = search.fetch(minor_of(wanted)) and why
    if why:
        return why
    found = _of_minor(minor_of(wanted), wanted, known, search)
    return _best(found, wanted, search.policy) or "What was downloaded does not start."


class KnownInterpreters:
    """What interpreters are, remembered in one small file that may be lost, damaged or read-only without harm."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._facts = _load(memory)

    def identify(self, executable: Path, *, follow: bool = True) -> Interpreter | None:
        """Say what the program at a path is; None when it is not there or no Python that starts.

        A launcher, or a copied program inside a virtual environment, leads to its base; `follow`
        says whether to.
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
        if follow:
            return self.identify(found.executable, follow=False)
        return None

    def _remember(self, real: Path, interpreter: Interpreter) -> None:
        import tempfile  # 3 ms, where an interpreter is new

        self._facts = {**_load(self._memory), **self._facts, str(real): interpreter}
        facts = {
            path: asdict(each) | {"executable": str(each.executable)}
            for path, each in self._facts.items()
        }
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
    from envkit.child import process, variables  # nothing is started on a warm run

    try:
        ended = process.run(
            [executable, "-I", "-c", _PROBE],
            environment=variables.for_installer(os.environ),
            timeout=_PROBE_SECONDS,
            keep_output=True,
        )
        facts = json.loads(ended.output.splitlines()[-1])
        return Interpreter(**{**facts, "executable": Path(facts["executable"])}, size=0, mtime_ns=0)
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
