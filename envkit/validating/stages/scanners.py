"""Deeper scanners of pickles, made by others, asked when the user wishes it (`--scan`); extras of envkit.

They know more tricks than the rules on pickles, and are no security boundary either.
"""

from __future__ import annotations

import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from envkit.analysis.artifacts import PICKLES
from envkit.analysis.bounded_streams import BLOCK, Bounded, Unreadable, unpacked
from envkit.errors import InvalidArgument, ToolNotFound

MAX_UNPACKED = 1_000_000_000  # bytes; a few may unpack into more than the disk holds

Scan = Callable[[Path], Iterator["Alarm"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """What a scanner says of one file. file: absolute."""

    file: Path
    problem: str


def _picklescan(model: Path) -> Iterator[Alarm]:
    from picklescan.scanner import SafetyLevel, scan_file_path  # an extra

    for path in _files(model):
        with _unpacked(path) as plain:
            result = scan_file_path(str(plain))
        for each in result.globals:
            if each.safety == SafetyLevel.Dangerous:
                yield Alarm(
                    file=path, problem=f"picklescan: {each.module}.{each.name} is dangerous"
                )
        if result.scan_err:
            yield Alarm(file=path, problem="picklescan could not read it")


def _fickling(model: Path) -> Iterator[Alarm]:
    from fickling.analysis import Severity, check_safety  # an extra
    from fickling.fickle import Pickled, PickleDecodeError

    for path in _files(model):
        try:
            with _unpacked(path) as plain, plain.open("rb") as stream:
                result = check_safety(Pickled.load(stream))
        except (PickleDecodeError, ValueError, EOFError, NotImplementedError, IndexError):
            continue  # an archive, or damaged: told by the rule on unread files
        if result.severity >= Severity.LIKELY_UNSAFE:
            what = " ".join(str(result.to_string()).split())
            yield Alarm(
                file=path,
                problem=f"fickling: {result.severity.name.lower().replace('_', ' ')}: {what[:300]}",
            )


SCANNERS: Mapping[str, Scan] = {"fickling": _fickling, "picklescan": _picklescan}


def named(names: Iterable[str]) -> tuple[Scan, ...]:
    """Give the scanners of these names. Raises `InvalidArgument`, and `ToolNotFound` for one that is not installed."""
    found = []
    for name in names:
        if name not in SCANNERS:
            raise InvalidArgument(f"'{name}' is no scanner; there are {', '.join(SCANNERS)}.")
        if find_spec(name) is None:
            raise ToolNotFound(
                name, "Install it with envkit's extra: `pip install 'envkit[scan]'`."
            )
        found.append(SCANNERS[name])
    return tuple(found)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A file without its compression, in which joblib and others write pickles: the scanners do not see through it."""
    with tempfile.NamedTemporaryFile(prefix="envkit-", suffix=path.suffix) as copy:
        yield Path(copy.name) if _is_unpacked(path, copy) else path


def _is_unpacked(path: Path, copy: IO[bytes]) -> bool:
    """Unpack a file into another; false where it is not packed, damaged or too large, which another rule tells."""
    try:
        with path.open("rb") as stream:
            plain = unpacked(stream)
            if plain is stream:
                return False
            bounded = Bounded(plain, MAX_UNPACKED)
            while block := bounded.read(BLOCK):
                copy.write(block)
    except (Unreadable, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        return False
    copy.flush()
    return True


def _files(model: Path) -> Iterator[Path]:
    for path in [model] if model.is_file() else sorted(model.rglob("*")):
        if (
            path.suffix.lower() in PICKLES
            and path.is_file()
            and path.resolve().is_relative_to(model)
        ):
            yield path
