"""Deeper scanners of pickles, made by others, asked when the user wishes it (`--scan`); extras of envkit.

They know more tricks than the rules on pickles, and are no security boundary either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from envkit.capturing.static.artifacts import PICKLES
from envkit.errors import InvalidArgument, ToolNotFound

Scan = Callable[[Path], Iterator["Alarm"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """What a scanner says of one file. file: absolute."""

    file: Path
    problem: str


def _picklescan(model: Path) -> Iterator[Alarm]:
    from picklescan.scanner import SafetyLevel, scan_file_path  # an extra

    for path in _files(model):
        result = scan_file_path(str(path))
        for each in result.globals:
            if each.safety == SafetyLevel.Dangerous:
                yield Alarm(file=path, problem=f"picklescan: {each.module}.{each.name} is dangerous")
        if result.scan_err:
            yield Alarm(file=path, problem="picklescan could not read it")


def _fickling(model: Path) -> Iterator[Alarm]:
    from fickling.analysis import Severity, check_safety  # an extra
    from fickling.fickle import Pickled, PickleDecodeError

    for path in _files(model):
        try:
            with path.open("rb") as stream:
                result = check_safety(Pickled.load(stream))
        except (PickleDecodeError, ValueError, EOFError, NotImplementedError, IndexError):
            continue  # compressed, an archive, or damaged: told by the rule on unread files
        if result.severity >= Severity.LIKELY_UNSAFE:
            what = " ".join(str(result.to_string()).split())
            yield Alarm(file=path, problem=f"fickling: {result.severity.name.lower().replace('_', ' ')}: {what[:300]}")


SCANNERS: Mapping[str, Scan] = {"fickling": _fickling, "picklescan": _picklescan}


def named(names: Iterable[str]) -> tuple[Scan, ...]:
    """Give the scanners of these names. Raises `InvalidArgument`, and `ToolNotFound` for one that is not installed."""
    found = []
    for name in names:
        if name not in SCANNERS:
            raise InvalidArgument(f"'{name}' is no scanner; there are {', '.join(SCANNERS)}.")
        if find_spec(name) is None:
            raise ToolNotFound(name, "Install it with envkit's extra: `pip install 'envkit[scan]'`.")
        found.append(SCANNERS[name])
    return tuple(found)


def _files(model: Path) -> Iterator[Path]:
    for path in sorted(model.rglob("*")):
        if path.suffix.lower() in PICKLES and path.is_file() and path.resolve().is_relative_to(model):
            yield path
