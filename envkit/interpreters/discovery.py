"""Find the interpreter of a version on this machine; `locations` says where it may lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from envkit.child.variables import Variables
from envkit.errors import InterpreterNotFound
from envkit.interpreters.interpreter import OLDEST, Interpreter, minor_of, numbers_of
from envkit.interpreters.known_interpreters import KnownInterpreters
from envkit.interpreters.locations import Locations
from envkit.interpreters.policy import PythonPolicy, nearest_minors

UNPACKED = "pythons"  # in the store: interpreters that came with archives


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The interpreter that a search chose.

    note: what the user should know about the choice, or empty.
    """

    interpreter: Interpreter
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """How an interpreter is searched.

    environ: envkit's variables (PATH, PYENV_ROOT, …). memory: the file of `KnownInterpreters`, in
    the store's folder. policy: which other version may stand in. refuses: says why another minor
    version cannot, or nothing. fetch: downloads an interpreter of a version (`3.11.7` or `3.11`)
    into a place that is searched, or says why it did not; None: nothing is downloaded.
    """

    environ: Variables
    memory: Path
    policy: PythonPolicy = PythonPolicy.MINOR
    refuses: Callable[[str], str] = lambda _: ""
    fetch: Callable[[str], str] | None = None

    @property
    def unpacked(self) -> Path:
        """The folder of interpreters that came with archives of environments."""
        return self.memory.parent / UNPACKED

    @property
    def locations(self) -> Locations:
        """Where interpreters may lie."""
        return Locations(environ=self.environ, unpacked=self.unpacked)


def find(wanted: str, search: Search) -> Match:
    """Find an interpreter of version `wanted` (`3.11.7`; with `3.11` any patch version is exact).

    The exact version wins wherever it is; then, as the policy allows, the newest patch version of
    the same minor version; then one that is downloaded; then the nearest other minor version. One
    that is not exact has a note. Raises `InterpreterNotFound`.
    """
    known = KnownInterpreters(search.memory)
    minor = minor_of(wanted)
    installed = _of_minor(minor, wanted, known, search)
    if not installed:
        installed = _discovered(minor, wanted, known, search)
    best = _best(installed, wanted, search.policy)
    if best is not None:
        return best
    problems = []
    if search.fetch is not None:
        problem = _download(wanted, search.fetch, search.policy)
        if not problem:
            best = _best(_of_minor(minor, wanted, known, search), wanted, search.policy)
            if best is not None:
                return best
            problem = "The downloaded interpreter does not start."
        problems.append(problem)
    if search.policy is PythonPolicy.COMPATIBLE:
        best = _of_other_minor(wanted, known, search, problems)
        if best is not None:
            return best
    elif installed:
        version = installed[0].version
        problems.append(f"Python {version} is there: `--python-policy minor` takes it.")
    raise InterpreterNotFound(wanted, search.locations.names(minor), tuple(problems))


def named(executable: Path, wanted: str, search: Search) -> Match:
    """Take the interpreter that the user named, when the policy allows it.

    Raises `InterpreterNotFound`.
    """
    interpreter = KnownInterpreters(search.memory).identify(executable)
    if interpreter is None:
        raise InterpreterNotFound(
            wanted, (f"{executable}, which is not a working Python interpreter",)
        )
    if interpreter.is_version(wanted):
        return Match(interpreter=interpreter)
    why = _why_not(interpreter, wanted, search)
    if why:
        place = f"{executable}, which is Python {interpreter.version}"
        raise InterpreterNotFound(wanted, (place,), (why,))
    note = f"The model wants Python {wanted}; {executable} is {interpreter.version}."
    return Match(interpreter=interpreter, note=note)


def _why_not(interpreter: Interpreter, wanted: str, search: Search) -> str:
    if interpreter.minor == minor_of(wanted):
        if search.policy is PythonPolicy.EXACT:
            return "`--python-policy minor` takes it."
        return ""
    if search.policy is not PythonPolicy.COMPATIBLE:
        return "`--python-policy compatible` takes another minor version."
    if numbers_of(interpreter.version) < OLDEST:
        return f"envkit needs Python {OLDEST[0]}.{OLDEST[1]} or newer."
    why = search.refuses(interpreter.minor)
    if why:
        return f"It cannot take its place: {why}."
    return ""


def _of_minor(
    minor: str, wanted: str, known: KnownInterpreters, search: Search
) -> list[Interpreter]:
    """Find those of a minor version; the search ends with the first exact one, which is last."""
    interpreters: list[Interpreter] = []
    for executable in search.locations.candidates(minor, wanted):
        interpreter = known.identify(executable)
        if _is_usual_of(interpreter, minor):
            interpreters.append(interpreter)
            if interpreter.is_version(wanted):
                break
    return interpreters


def _discovered(
    minor: str, wanted: str, known: KnownInterpreters, search: Search
) -> list[Interpreter]:
    """Find all of a minor version as virtualenv does, an exact one last."""
    identified = map(known.identify, search.locations.discovered(minor))
    usual = [interpreter for interpreter in identified if _is_usual_of(interpreter, minor)]
    return sorted(usual, key=lambda interpreter: interpreter.is_version(wanted))


def _is_usual_of(interpreter: Interpreter | None, minor: str) -> TypeGuard[Interpreter]:
    return interpreter is not None and interpreter.is_usual and interpreter.minor == minor


def _best(interpreters: list[Interpreter], wanted: str, policy: PythonPolicy) -> Match | None:
    """Choose the last if it is exact, else the newest patch version if the policy allows."""
    if not interpreters:
        return None
    if interpreters[-1].is_version(wanted):
        return Match(interpreter=interpreters[-1])
    if policy is PythonPolicy.EXACT:
        return None
    return _stand_in(interpreters, wanted)


def _of_other_minor(
    wanted: str, known: KnownInterpreters, search: Search, problems: list[str]
) -> Match | None:
    """Choose the nearest other minor version that nothing refuses.

    Refusals are added to `problems`.
    """
    for minor in nearest_minors(minor_of(wanted)):
        interpreters = _of_minor(minor, minor, known, search)
        if not interpreters:
            continue
        why = search.refuses(minor)
        if not why:
            return _stand_in(interpreters, wanted)
        problems.append(f"Python {interpreters[0].version} is there, but {why}.")
    return None


def _stand_in(interpreters: list[Interpreter], wanted: str) -> Match:
    newest = max(interpreters, key=lambda interpreter: numbers_of(interpreter.version))
    note = f"Python {wanted} is not on this machine; {newest.version} is used in its place."
    if newest.minor != minor_of(wanted):
        note += " Pickled functions seldom survive another minor version."
    return Match(interpreter=newest, note=note)


def _download(wanted: str, fetch: Callable[[str], str], policy: PythonPolicy) -> str:
    """Download the version, or as the policy allows the newest of its minor version.

    Returns why that failed, or an empty text.
    """
    problem = fetch(wanted)
    minor = minor_of(wanted)
    if not problem or policy is PythonPolicy.EXACT or wanted == minor:
        return problem
    if fetch(minor):
        return problem
    return ""
