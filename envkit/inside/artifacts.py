"""What a file that is a whole model by itself is: told by its name, and by how it begins."""

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
STARTS = (
    (b"tree\nversion=", "lightgbm"),
    (b"CBM1", "catboost"),
    (b'{"learner"', "xgboost"),
    (b"{L\0\0\0\0", "xgboost"),
)
COMPRESSIONS = (".gz", ".bz2", ".lzma", ".xz", ".z", ".lz4", ".zst")
IN_ARCHIVES = (("data.pkl", "torch"), ("schema.json", "skops"), ("config.json", "keras"))


def format_of(path: str) -> str | None:
    """Give the format of the file at `path`, None when it is no model that is known."""
    if not os.path.isfile(path):  # opening a named pipe would wait for somebody to write into it
        return None
    try:
        with open(path, "rb") as stream:
            start = stream.read(32)
    except OSError:
        return None
    if start.startswith(b"PK\x03\x04"):
        found = _in_archive(path)
        if found is not None:
            return found
    for magic, name in STARTS:
        if start.startswith(magic):
            return name
    stem, suffix = os.path.splitext(os.path.basename(path).lower())
    if suffix in COMPRESSIONS:
        inner = SUFFIXES.get(os.path.splitext(stem)[1])
        if inner in ("pickle", "joblib"):
            return "joblib"
        return None
    return SUFFIXES.get(suffix) or ("pickle" if is_pickle(start) else None)


def is_pickle(start: bytes) -> bool:
    """Whether a file that begins so is a pickle of protocol 2 or later."""
    return len(start) > 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def _in_archive(path: str) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None
    return next((kind for name, kind in IN_ARCHIVES if name in names), None)
