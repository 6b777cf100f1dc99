"""What a model's artifacts need, by what they are: pickles in their many wrappings, and the formats of libraries."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from envkit.capturing.static import pickles
from envkit.capturing.static.mentions import Gap, Survey
from envkit.capturing.static.pickles import Names
from envkit.capturing.static.streams import LZ4, Bounded, Unreadable, unpacked

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".jbl", ".sav", ".pt", ".pth", ".dill", ".cloudpickle", ".gz", ".z"})
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What reading one artifact may take: bytes after unpacking, opcodes of pickles, entries of an archive."""

    unpacked: int = 2_000_000_000
    opcodes: int = 5_000_000
    entries: int = 20_000
    text: int = 50_000_000


def read(path: Path, name: str, survey: Survey, budget: Budget) -> None:
    """Add what the artifact at `path`, called `name` in the model, needs; a `Gap` when it cannot be read."""
    names = Names()
    try:
        with path.open("rb") as stream:
            _read(stream, path, names, budget)
    except Unreadable as error:
        survey.gaps.append(Gap(file=name, problem=str(error)))
    except (OSError, EOFError, ValueError, RecursionError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        survey.gaps.append(Gap(file=name, problem=f"it is damaged ({error})"))
    except (NotImplementedError, RuntimeError) as error:  # an encrypted archive, a method that is not built in
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


def _read(stream: Any, path: Path, names: Names, budget: Budget) -> None:
    start = stream.peek(32)[:32]
    library = BY_SUFFIX.get(path.suffix.lower()) or BY_NAME.get(path.name) or _by_start(start)
    if library is not None:
        names.add(library, by_code=False)
    if start.startswith(b"PK\x03\x04"):
        _read_zip(stream, names, budget)
    elif library is None and (path.suffix.lower() in PICKLES or _is_pickle(start)):
        if path.suffix.lower() in {".joblib", ".jbl", ".z"}:
            names.add("joblib", by_code=False)
        if start.startswith(LZ4):
            names.add("lz4", by_code=False)
        pickles.read(Bounded(unpacked(stream), budget.unpacked), names, budget.opcodes)


def _by_start(start: bytes) -> str | None:
    return next((library for magic, library in BY_START if start.startswith(magic)), None)


def _is_pickle(start: bytes) -> bool:
    return len(start) > 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def _read_zip(stream: BinaryIO, names: Names, budget: Budget) -> None:
    """torch writes `…/data.pkl`; skops writes `schema.json`, Keras `metadata.json` with its version."""
    with zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        if len(entries) > budget.entries:
            raise Unreadable(f"it holds more than {budget.entries:,} files")
        for entry in entries:
            last = entry.filename.rpartition("/")[2]
            if last.endswith(".pkl"):
                names.add("torch", by_code=False)
                with archive.open(entry) as inner:
                    pickles.read(Bounded(cast("BinaryIO", inner), budget.unpacked), names, budget.opcodes)
            elif entry.filename in {"schema.json", "metadata.json"}:
                with archive.open(entry) as inner:
                    _read_schema(json.loads(Bounded(cast("BinaryIO", inner), budget.text).read_all()), names)


def _read_schema(schema: Any, names: Names) -> None:
    for each in _objects(schema):
        names.add(each.get("__module__"), by_code=False)
        for key, distribution in (("_skops_version", "skops"), ("keras_version", "keras")):
            if isinstance(each.get(key), str):
                names.versions.setdefault(distribution, each[key])
        content = each.get("content")
        version = content.get("_sklearn_version") if isinstance(content, dict) else None
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
