"""What a model's artifacts need, by what they are: pickles in their many wrappings, and the formats of libraries."""

from __future__ import annotations

import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

from envkit.analysis import archives, pickles
from envkit.analysis.bounded_streams import LZ4, Bounded, Unreadable, unpacked
from envkit.analysis.mentions import Gap, Survey
from envkit.analysis.pickles import Names

PICKLES = frozenset(
    {
        ".pkl",
        ".pickle",
        ".joblib",
        ".jbl",
        ".sav",
        ".pt",
        ".pth",
        ".dill",
        ".cloudpickle",
        ".gz",
        ".z",
    }
)
BY_SUFFIX = {
    ".cbm": "catboost",
    ".h5": "h5py",
    ".hdf5": "h5py",
    ".keras": "keras",
    ".lgb": "lightgbm",
    ".npy": "numpy",
    ".npz": "numpy",
    ".onnx": "onnxruntime",
    ".parquet": "pyarrow",
    ".safetensors": "safetensors",
    ".skops": "skops",
    ".tflite": "tensorflow",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
}
BY_START = (
    (b"tree\nversion=", "lightgbm"),
    (b"CBM1", "catboost"),
    (b'{"learner"', "xgboost"),
    (b"{L\0\0\0\0", "xgboost"),
)
BY_NAME = {"saved_model.pb": "tensorflow"}
COMPRESSED = frozenset({".bz2", ".gz", ".lz4", ".lzma", ".xz", ".z", ".zst"})
OF_TORCH = frozenset({"data.pkl", "constants.pkl"})
ARRAY = b"\x93NUMPY"
OBJECTS = re.compile(rb"['\"]\|?O\d?['\"]")
FETCHING = re.compile(rb"\(*[ci][A-Za-z_][\w.]*\r?\n[A-Za-z_][\w.]*\r?\n")
MAX_DEPTH = 3  # of archives in archives
MAX_FOLLOWING = 100  # pickles after the first in one file
MAX_HEADER = 1_000_000  # bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What reading one artifact may take: bytes after unpacking, opcodes of pickles, entries of an archive."""

    unpacked: int = 2_000_000_000
    opcodes: int = 5_000_000
    entries: int = 20_000
    text: int = 50_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """Of one artifact. left: opcodes, and bytes after unpacking, that may still be read."""

    names: Names
    budget: Budget
    left: list[int]

    def pickle(self, stream: BinaryIO) -> None:
        bounded = Bounded(stream, max(self.left[1], 0))
        try:
            self.left[0] = pickles.read(bounded, self.names, self.left[0])
        finally:
            self.left[1] -= bounded.tell()


def read(path: Path, name: str, survey: Survey, budget: Budget) -> None:
    """Add what the artifact at `path`, called `name` in the model, needs; a `Gap` when it cannot be read."""
    names = Names()
    try:
        with path.open("rb") as stream:
            _read(
                stream,
                path,
                _Reading(names=names, budget=budget, left=[budget.opcodes, budget.unpacked]),
            )
    except Unreadable as error:
        survey.gaps.append(Gap(file=name, problem=str(error)))
    except (
        OSError,
        EOFError,
        ValueError,
        RecursionError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        survey.gaps.append(Gap(file=name, problem=f"it is damaged ({error})"))
    except (
        NotImplementedError,
        RuntimeError,
    ) as error:  # an encrypted archive, a method that is not built in
        survey.gaps.append(Gap(file=name, problem=f"it cannot be unpacked ({error})"))
    if names.opaque:
        problem = "it holds functions whose bytecode is of a Python that is not known here"
        survey.gaps.append(Gap(file=name, problem=problem))
    survey.add_modules(names.modules, name)
    survey.pythons += names.pythons
    if names.globals:
        survey.globals[name] = tuple(names.globals)
    for distribution, version in names.versions.items():
        survey.versions.setdefault(distribution, version)


def _read(stream: Any, path: PurePath, reading: _Reading) -> None:
    start = stream.peek(archives.START)[: archives.START]
    suffix = path.suffix.lower()
    library = BY_SUFFIX.get(suffix) or BY_NAME.get(path.name) or _by_start(start)
    if library is not None:
        reading.names.add(library, by_code=False)
    if archives.is_archive(start):
        _read_archive(stream, start, reading)
    elif start.startswith(ARRAY):
        _read_array(stream, reading)
    elif library is None and _is_called_pickle(path):
        if suffix in {".joblib", ".jbl", ".z"}:
            reading.names.add("joblib", by_code=False)
        if start.startswith(LZ4):
            reading.names.add("lz4", by_code=False)
        _read_plain(unpacked(stream), reading, sure=True)
    elif library is None:
        _read_unnamed(stream, start, reading)


def _is_called_pickle(path: PurePath) -> bool:
    """`model.pkl`, `model.pkl.xz` and `model.gz`, but not `table.csv.gz`."""
    suffixes = [each.lower() for each in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED and len(suffixes) > 1:
        return suffixes[0] in PICKLES
    return bool(suffixes) and suffixes[-1] in PICKLES


def _read_unnamed(stream: Any, start: bytes, reading: _Reading) -> None:
    """A file that no name tells of is a pickle when it begins as one, maybe under a compression."""
    try:
        plain = unpacked(stream)
        if plain is not stream:
            start = cast("io.BufferedReader", plain).peek(archives.START)[: archives.START]
    except (Unreadable, OSError, EOFError, zlib.error, lzma.LZMAError):
        return  # other data, that only begins as if it were compressed
    if _is_pickle(start) or (plain is not stream and archives.is_archive(start)):
        _read_plain(plain, reading, sure=False)


def _read_plain(stream: Any, reading: _Reading, *, sure: bool) -> None:
    """What no compression is around any more: pickles, or an archive. sure: it should be one of them."""
    start = stream.peek(archives.START)[: archives.START]
    if archives.is_archive(start):
        _read_archive(stream, start, reading)
    elif sure or _is_pickle(start):
        _read_pickles(stream, reading)


def _read_pickles(stream: Any, reading: _Reading) -> None:
    """Read a pickle, and those that follow it, which another `pickle.load` would fetch."""
    reading.pickle(stream)
    for _ in range(MAX_FOLLOWING):
        if not _is_pickle(stream.peek(archives.START)[: archives.START]):
            return
        with suppress(Unreadable):  # bytes of tensors, that happen to begin as a pickle does
            reading.pickle(stream)


def _by_start(start: bytes) -> str | None:
    return next((library for magic, library in BY_START if start.startswith(magic)), None)


def _is_pickle(start: bytes) -> bool:
    """Protocols 2 to 5 begin with their number, 0 and 1 often with the class that they fetch."""
    return (len(start) > 2 and start[0] == 0x80 and 2 <= start[1] <= 5) or FETCHING.match(
        start
    ) is not None


def _read_archive(stream: Any, start: bytes, reading: _Reading, depth: int = 0) -> None:
    """torch writes `…/data.pkl`; skops writes `schema.json`, Keras `metadata.json` with its version.

    Of other files in it what unpickling would fetch is told, and not taken for what the model
    needs.
    """
    problem = None
    budget = reading.budget
    for name, inner in archives.members(stream, start, budget.entries, budget.unpacked):
        last = name.rpartition("/")[2]
        try:
            if last in OF_TORCH and not depth:
                reading.names.add("torch", by_code=False)
                reading.pickle(inner)
            elif name in {"schema.json", "metadata.json"} and not depth:
                _read_schema(json.loads(Bounded(inner, budget.text).read_all()), reading.names)
            else:
                _read_member(
                    inner, PurePath(last), replace(reading, names=Names()), reading.names, depth
                )
        except Unreadable as error:
            problem = problem or error
    if problem is not None:
        raise problem


def _read_member(stream: Any, path: PurePath, reading: _Reading, names: Names, depth: int) -> None:
    start = stream.peek(archives.START)[: archives.START]
    try:
        if archives.is_archive(start):
            if depth < MAX_DEPTH:
                _read_archive(stream, start, reading, depth + 1)
        elif start.startswith(ARRAY):
            _read_array(stream, reading)
        elif path.suffix.lower() == ".pkl":
            _read_pickles(stream, reading)
        else:
            _read_unnamed(stream, start, reading)
    finally:
        names.globals.update(reading.names.globals)


def _read_array(stream: Any, reading: _Reading) -> None:
    """An array of NumPy's: a pickle where it holds objects (`numpy.lib.format`)."""
    major = stream.read(len(ARRAY) + 2)[len(ARRAY)]
    size = int.from_bytes(stream.read(2 if major == 1 else 4), "little")
    if size > MAX_HEADER:
        raise Unreadable(f"it says that its header has {size:,} bytes")
    if OBJECTS.search(stream.read(size)):
        _read_pickles(stream, reading)


def _read_schema(schema: Any, names: Names) -> None:
    for each in _objects(schema):
        names.add(each.get("__module__"), by_code=False)
        for key, distribution in (("_skops_version", "skops"), ("keras_version", "keras")):
            if isinstance(each.get(key), str):
                names.versions.setdefault(distribution, each[key])
        content = each.get("content")
        if isinstance(content, dict):
            version = content.get("_sklearn_version")
        else:
            version = None
        if isinstance(version, dict) and isinstance(version.get("content"), str):
            names.versions.setdefault("scikit-learn", version["content"].strip('"'))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
