"""Deeper scanners of pickles (`--scan`), which are extras of envkit.

They know more tricks than the rules on pickles; they are not a security boundary either.
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

# bytes; a few may unpack into more than the disk holds
MAX_UNPACKED = 1_000_000_000
MAX_DESCRIPTION = 300  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """What a scanner reports about one file. file: absolute."""

    file: Path
    problem: str


Scan = Callable[[Path], Iterator[Alarm]]


def named(names: Iterable[str]) -> tuple[Scan, ...]:
    """Give the scanners of these names.

    Raises `InvalidArgument`, and `ToolNotFound` for one that is not installed.
    """
    return tuple(map(_named, names))


def _named(name: str) -> Scan:
    if name not in SCANNERS:
        raise InvalidArgument(f"'{name}' is not a scanner; use {' or '.join(SCANNERS)}.")
    if find_spec(name) is None:
        raise ToolNotFound(name, "Install it with envkit's extra: `pip install 'envkit[scan]'`.")
    return SCANNERS[name]


def _picklescan(model: Path) -> Iterator[Alarm]:
    # an extra
    from picklescan.scanner import SafetyLevel, scan_file_path

    for path in _pickles(model):
        with _decompressed(path) as plain:
            result = scan_file_path(str(plain))
        for fetched in result.globals:
            if fetched.safety == SafetyLevel.Dangerous:
                problem = f"picklescan: {fetched.module}.{fetched.name} is dangerous"
                yield Alarm(file=path, problem=problem)
        if result.scan_err:
            yield Alarm(file=path, problem="picklescan could not read it")


def _fickling(model: Path) -> Iterator[Alarm]:
    # an extra
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import Pickled, PickleDecodeError

    for path in _pickles(model):
        try:
            with _decompressed(path) as plain, plain.open("rb") as stream:
                result = check_safety(Pickled.load(stream))
        # an archive, or damaged: reported by the rule on unread files
        except (PickleDecodeError, ValueError, EOFError, NotImplementedError, IndexError):
            continue
        if result.severity >= Severity.LIKELY_UNSAFE:
            level = result.severity.name.lower().replace("_", " ")
            description = " ".join(str(result.to_string()).split())[:MAX_DESCRIPTION]
            yield Alarm(file=path, problem=f"fickling: {level}: {description}")


SCANNERS: Mapping[str, Scan] = {"fickling": _fickling, "picklescan": _picklescan}


@contextmanager
def _decompressed(path: Path) -> Iterator[Path]:
    """A file without joblib's compression, which the scanners cannot read."""
    with tempfile.NamedTemporaryFile(prefix="envkit-", suffix=path.suffix) as copy:
        if _decompress(path, copy):
            yield Path(copy.name)
        else:
            yield path


def _decompress(path: Path, copy: IO[bytes]) -> bool:
    """Write a file without its compression; false where it has none, is damaged or too large.

    Those are reported by the rule on unread files.
    """
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


def _pickles(model: Path) -> Iterator[Path]:
    paths = [model] if model.is_file() else sorted(model.rglob("*"))
    for path in paths:
        is_inside = path.resolve().is_relative_to(model)
        if path.suffix.lower() in PICKLES and path.is_file() and is_inside:
            yield path
