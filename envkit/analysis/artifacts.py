"""Read an artifact: a pickle, which may be compressed or in an archive, or a library's format."""

from __future__ import annotations

import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

from envkit.analysis import archives, pickles
from envkit.analysis.bounded_streams import LZ4, Bounded, TooLarge, Unreadable, unpacked
from envkit.analysis.mentions import Gap, Survey, UnreadReason, modules_mentioned
from envkit.analysis.pickle_names import PickleNames

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
LIBRARY_BY_SUFFIX = {
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
LIBRARY_BY_START = (
    (b"tree\nversion=", "lightgbm"),
    (b"CBM1", "catboost"),
    (b'{"learner"', "xgboost"),
    (b"{L\0\0\0\0", "xgboost"),
)
LIBRARY_BY_NAME = {"saved_model.pb": "tensorflow"}
COMPRESSED = frozenset({".bz2", ".gz", ".lz4", ".lzma", ".xz", ".z", ".zst"})
TORCH_PICKLES = frozenset({"data.pkl", "constants.pkl"})
NUMPY_ARRAY = b"\x93NUMPY"
DTYPE_WITH_OBJECTS = re.compile(rb"['\"]\|?O\d?['\"]")
OLD_PICKLE = re.compile(rb"\(*[ci][A-Za-z_][\w.]*\r?\n[A-Za-z_][\w.]*\r?\n")
MAX_DEPTH = 3  # of archives in archives
MAX_FOLLOWING = 100  # pickles after the first in one file
MAX_HEADER = 1_000_000  # bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What reading one artifact may take.

    Attributes:
        unpacked: Bytes after decompression.
        opcodes: Opcodes of pickles.
        entries: Files in an archive.
        text: Bytes of a description in JSON.
    """

    unpacked: int = 2_000_000_000
    opcodes: int = 5_000_000
    entries: int = 20_000
    text: int = 50_000_000


def read(
    path: Path,
    name: str,
    budget: Budget,
) -> Survey:
    """Read the artifact at `path`, called `name` in the model; a `Gap` says what was not read."""
    reader = _Reader(budget)
    gaps = []
    try:
        with path.open("rb") as stream:
            reader.read(stream, path)
    except Unreadable as error:
        gaps.append(Gap(file=name, reason=error.reason, problem=str(error)))
    except (
        OSError,
        EOFError,
        ValueError,
        RecursionError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        problem = f"it is damaged ({error})"
        gaps.append(Gap(file=name, reason=UnreadReason.BROKEN, problem=problem))
    # an encrypted archive, or a compression that this Python was built without
    except (NotImplementedError, RuntimeError) as error:
        problem = f"it cannot be unpacked ({error})"
        gaps.append(Gap(file=name, reason=UnreadReason.BROKEN, problem=problem))
    names = reader.names
    if names.opaque:
        problem = "it holds functions whose bytecode is of an unknown Python version"
        gaps.append(Gap(file=name, reason=UnreadReason.UNKNOWN_BYTECODE, problem=problem))
    return Survey(
        mentions=modules_mentioned(names.modules, name),
        gaps=tuple(gaps),
        versions=names.versions,
        recorded={name: names.versions} if names.versions else {},
        globals={name: tuple(names.globals)} if names.globals else {},
        pythons=tuple(names.pythons),
    )


class _Reader:
    """Reads one artifact, and what is in it, into `names`."""

    def __init__(self, budget: Budget) -> None:
        self.names = PickleNames()
        self._budget = budget
        self._opcodes = pickles.Opcodes(budget.opcodes)
        self._bytes_left = budget.unpacked

    def read(self, stream: Any, path: PurePath) -> None:
        """Read a file by what its name and its first bytes say that it is."""
        start = _start_of(stream)
        suffix = path.suffix.lower()
        library = LIBRARY_BY_SUFFIX.get(suffix) or LIBRARY_BY_NAME.get(path.name)
        library = library or _library_by_start(start)
        if library is not None:
            self.names.add(library, by_code=False)
        if archives.is_archive(start):
            self._read_archive(stream, start)
        elif start.startswith(NUMPY_ARRAY):
            self._read_array(stream, self.names)
        elif library is not None:
            return
        elif _is_named_as_pickle(path):
            if suffix in {".joblib", ".jbl", ".z"}:
                self.names.add("joblib", by_code=False)
            if start.startswith(LZ4):
                self.names.add("lz4", by_code=False)
            plain: Any = unpacked(stream)
            start = _start_of(plain)
            if archives.is_archive(start):
                self._read_archive(plain, start)
            else:
                self._read_pickles(plain, self.names)
        else:
            self._read_unknown(stream)

    def _read_unknown(self, stream: Any) -> None:
        """Read a file whose name says nothing: a pickle or an archive of them, maybe compressed."""
        plain, start = _uncompressed(stream)
        if archives.is_archive(start):
            self._read_archive(plain, start)
        elif _is_pickle(start):
            self._read_pickles(plain, self.names)

    def _read_pickles(self, stream: Any, names: PickleNames) -> None:
        """Read a pickle, and those that follow it, which another `pickle.load` would read."""
        self._read_pickle(stream, names)
        for _ in range(MAX_FOLLOWING):
            if not _is_pickle(_start_of(stream)):
                return
            try:
                self._read_pickle(stream, names)
            except TooLarge:
                raise
            except Unreadable:  # bytes of tensors that happen to begin as a pickle does
                continue
        if _is_pickle(_start_of(stream)):
            raise TooLarge(f"it holds more than {MAX_FOLLOWING} pickles one after another")

    def _read_pickle(self, stream: Any, names: PickleNames) -> None:
        bounded = Bounded(stream, max(self._bytes_left, 0))
        try:
            pickles.read(bounded, names, self._opcodes)
        finally:
            self._bytes_left -= bounded.tell()

    def _read_archive(self, stream: Any, start: bytes) -> None:
        """Read the members of an archive that is an artifact of its own.

        torch writes `…/data.pkl`. skops writes `schema.json` and Keras `metadata.json`, with their
        versions.
        """
        problem: Unreadable | None = None
        for name, member in self._members(stream, start):
            last = name.rpartition("/")[2]
            try:
                if last in TORCH_PICKLES:
                    self.names.add("torch", by_code=False)
                    self._read_pickle(member, self.names)
                elif name in {"schema.json", "metadata.json"}:
                    text = Bounded(member, self._budget.text).read_all()
                    _read_schema(json.loads(text), self.names)
                else:
                    self._read_member(member, PurePath(last), depth=0)
            except Unreadable as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def _read_inner_archive(
        self,
        stream: Any,
        start: bytes,
        depth: int,
    ) -> None:
        problem: Unreadable | None = None
        for name, member in self._members(stream, start):
            try:
                last = name.rpartition("/")[2]
                self._read_member(member, PurePath(last), depth)
            except Unreadable as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def _read_member(
        self,
        stream: Any,
        path: PurePath,
        depth: int,
    ) -> None:
        """Read another file in an archive.

        What unpickling it would fetch is recorded. That the model needs it is not known, so its
        modules are not.
        """
        names = PickleNames()
        is_named_pickle = path.suffix.lower() == ".pkl"
        start = _start_of(stream)
        if not is_named_pickle and not archives.is_archive(start):
            stream, start = _uncompressed(stream)
        try:
            if archives.is_archive(start):
                if depth < MAX_DEPTH:
                    self._read_inner_archive(stream, start, depth + 1)
            elif start.startswith(NUMPY_ARRAY):
                self._read_array(stream, names)
            elif is_named_pickle or _is_pickle(start):
                self._read_pickles(stream, names)
        finally:
            self.names.globals.update(names.globals)

    def _read_array(self, stream: Any, names: PickleNames) -> None:
        """Read an array of NumPy, which is a pickle if it holds objects (`numpy.lib.format`)."""
        stream.read(len(NUMPY_ARRAY))
        version = stream.read(2)
        if len(version) < 2:
            raise Unreadable("it is cut off")
        length_of_size = 2 if version[0] == 1 else 4
        size = int.from_bytes(stream.read(length_of_size), "little")
        if size > MAX_HEADER:
            raise Unreadable(f"its header claims to have {size:,} bytes")
        if DTYPE_WITH_OBJECTS.search(stream.read(size)):
            self._read_pickles(stream, names)

    def _members(self, stream: Any, start: bytes) -> Iterator[tuple[str, BinaryIO]]:
        return archives.members(stream, start, self._budget.entries, self._budget.unpacked)


def _start_of(stream: Any) -> bytes:
    return cast("bytes", stream.peek(archives.START)[: archives.START])


def _uncompressed(stream: Any) -> tuple[Any, bytes]:
    """The stream without its compression, and its first bytes; as it is where that fails.

    Other data may happen to begin as compressed data does.
    """
    try:
        plain = unpacked(stream)
        return plain, _start_of(plain)
    except (Unreadable, OSError, EOFError, zlib.error, lzma.LZMAError):
        return stream, b""


def _is_named_as_pickle(path: PurePath) -> bool:
    """`model.pkl`, `model.pkl.xz` and `model.gz`, but not `table.csv.gz`."""
    *before, last = ["", *path.suffixes]
    if before and before[-1] and last.lower() in COMPRESSED:
        last = before[-1]
    return last.lower() in PICKLES


def _library_by_start(start: bytes) -> str | None:
    for magic, library in LIBRARY_BY_START:
        if start.startswith(magic):
            return library
    return None


def _is_pickle(start: bytes) -> bool:
    """Protocols 2 to 5 begin with their number, 0 and 1 often with the class that they fetch."""
    if len(start) > 2 and start[0] == 0x80:
        return 2 <= start[1] <= 5
    return OLD_PICKLE.match(start) is not None


def _read_schema(schema: Any, names: PickleNames) -> None:
    """Read the modules and versions in the description that skops or Keras writes."""
    for entry in _objects(schema):
        names.add(entry.get("__module__"), by_code=False)
        _add_skops_type(entry, names)
        for key, distribution in (("_skops_version", "skops"), ("keras_version", "keras")):
            if isinstance(entry.get(key), str):
                names.versions.setdefault(distribution, entry[key])
        match entry:
            case {"content": {"_sklearn_version": {"content": str(version)}}}:
                names.versions.setdefault("scikit-learn", version.strip('"'))


def _add_skops_type(entry: dict[str, Any], names: PickleNames) -> None:
    """Add the class or function that skops fetches for a node of its schema."""
    module, name = entry.get("__module__"), entry.get("__class__")
    if isinstance(module, str) and isinstance(name, str):
        names.fetch(module, name)
    # the function of a partial object or a method is named next to it
    content = entry.get("content")
    if isinstance(content, dict):
        module, name = content.get("module_path"), content.get("function")
        if isinstance(module, str) and isinstance(name, str):
            names.fetch(module, name)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in a JSON value."""
    waiting = [value]
    while waiting:
        element = waiting.pop()
        if isinstance(element, dict):
            yield element
            waiting.extend(element.values())
        elif isinstance(element, list):
            waiting.extend(element)
