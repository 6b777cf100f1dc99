"""Formats of files that are a whole model, recognized by their names and first bytes."""

from __future__ import annotations

import os
import zipfile

SUFFIXES = {
    ".cbm": "catboost",
    ".cloudpickle": "pickle",
    ".dill": "dill",
    ".h5": "keras",
    ".hdf5": "keras",
    ".jbl": "joblib",
    ".joblib": "joblib",
    ".keras": "keras",
    ".lgb": "lightgbm",
    ".onnx": "onnx",
    ".pickle": "pickle",
    ".pkl": "pickle",
    ".pt": "torch",
    ".pth": "torch",
    ".safetensors": "safetensors",
    ".sav": "pickle",
    ".skops": "skops",
    ".tflite": "tflite",
    ".ubj": "xgboost",
    ".xgb": "xgboost",
}
FIRST_BYTES = (
    (b"tree\nversion=", "lightgbm"),
    (b"CBM1", "catboost"),
    (b'{"learner"', "xgboost"),
    (b"{L\0\0\0\0", "xgboost"),
)
COMPRESSIONS = (".gz", ".bz2", ".lzma", ".xz", ".z", ".lz4", ".zst")
ZIP_FILE = b"PK\x03\x04"
ZIP_MEMBERS = (
    ("data.pkl", "torch"),
    ("schema.json", "skops"),
    ("config.json", "keras"),
)


def format_of(path: str) -> str | None:
    """Name the format of the file at `path`; None when it is not a model of a known format."""
    if not os.path.isfile(path):  # opening a named pipe would wait for somebody to write into it
        return None
    try:
        with open(path, "rb") as stream:
            start = stream.read(32)
    except OSError:
        return None
    return _by_content(path, start) or _by_name(os.path.basename(path).lower(), start)


def is_pickle(start: bytes) -> bool:
    """Whether a file that starts with these bytes is a pickle of protocol 2 or later."""
    return len(start) > 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def _by_content(path: str, start: bytes) -> str | None:
    """Recognize a file by its first bytes, or by what an archive contains."""
    if start.startswith(ZIP_FILE):
        return _by_members(path)
    for first_bytes, name in FIRST_BYTES:
        if start.startswith(first_bytes):
            return name
    return None


def _by_members(path: str) -> str | None:
    """Recognize a zip archive by the names of its members."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.rpartition("/")[2] for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None
    for member, name in ZIP_MEMBERS:
        if member in members:
            return name
    return None


def _by_name(file_name: str, start: bytes) -> str | None:
    """Recognize a file by its suffix, also below that of a compression."""
    stem, suffix = os.path.splitext(file_name)
    if suffix in COMPRESSIONS:
        inner = SUFFIXES.get(os.path.splitext(stem)[1])
        if inner in ("pickle", "joblib"):
            return "joblib"  # which writes compressed files, and reads those of others
        return None
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if is_pickle(start):
        return "pickle"
    return None
