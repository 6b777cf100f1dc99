"""Answers of a model as JSON values: as MLflow's scoring server, but always valid JSON."""

from __future__ import annotations

import base64
import datetime
import json
import math
import os
import sys
from typing import Any

EXACT_KINDS = "biuU"  # NumPy's kinds of booleans, integers and strings: `tolist` loses nothing
JSON_KEYS = {
    None: "null",
    True: "true",
    False: "false",
}


class NotEncodable(TypeError):
    """A value, or a part of it, that cannot be written.

    problem: what is wrong with it, as the end of a sentence whose subject is `subject`.
    """

    def __init__(self, problem: str, subject: str = "the model's answer") -> None:
        super().__init__(problem, subject)
        self.problem = problem
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.subject} {self.problem}"


def encode(value: Any, *, keep_infinities: bool = False) -> Any:
    """Convert a value to JSON values.

    Data frames and series become lists of records, arrays lists, times ISO 8601 strings, bytes
    base64 strings. What is missing or not finite (NaN, NA, NaT, infinities) becomes null; with
    `keep_infinities`, for comparing answers, infinities become the strings `Infinity` and
    `-Infinity`. Raises `NotEncodable` for everything else.
    """
    try:
        return _encode(value, keep_infinities)
    except RecursionError as error:
        raise NotEncodable("contains itself, or is nested too deeply") from error


def write_predictions(predictions: Any, path: str) -> None:
    """Write `{"predictions": …}` to a file, which appears whole or not at all."""
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            json.dump({"predictions": predictions}, stream, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def _encode(value: Any, keep_infinities: bool) -> Any:
    """Convert a value of Python's own classes here, and others by their library."""
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        return _encode_not_finite(value, keep_infinities)
    if isinstance(value, dict):
        return {_key(key): _encode(item, keep_infinities) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item, keep_infinities) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.encodebytes(value).decode("ascii")
    if kind.__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return _encode_object(value, keep_infinities)


def _encode_not_finite(value: float, keep_infinities: bool) -> str | None:
    """Write NaN and infinities, which JSON does not have."""
    if math.isnan(value) or not keep_infinities:
        return None
    if value > 0:
        return "Infinity"
    return "-Infinity"


def _encode_object(value: Any, keep_infinities: bool) -> Any:
    """Convert a value of a library, or of a class of the model's own."""
    for library, convert in (
        ("numpy", _encode_numpy),
        ("pandas", _encode_pandas),
    ):
        module = sys.modules.get(library)
        if module is not None:
            converted = convert(value, module, keep_infinities)
            if converted is not NotImplemented:
                return converted
    for builtin in (
        int,
        float,
        str,
    ):  # the value is of a subclass, such as an enumeration
        if isinstance(value, builtin):
            return _encode(builtin(value), keep_infinities)
    kind = type(value)
    if kind.__module__.startswith("scipy.sparse"):
        return _encode(value.toarray(), keep_infinities)
    if hasattr(kind, "model_dump"):  # a model of pydantic
        return _encode(value.model_dump(), keep_infinities)
    raise NotEncodable(f"contains a {kind.__module__}.{kind.__qualname__}, which has no JSON form")


def _encode_numpy(value: Any, numpy: Any, keep_infinities: bool) -> Any:
    """Convert a value of NumPy; give `NotImplemented` for others."""
    if isinstance(value, numpy.ndarray):
        return _encode_array(value, numpy, keep_infinities)
    if isinstance(value, numpy.datetime64):
        if numpy.isnat(value):
            return None
        return _iso_time(value, numpy)
    if isinstance(value, numpy.floating):
        return _encode(float(value), keep_infinities)
    if isinstance(value, numpy.generic) and value.dtype.kind in "biuSU":
        return _encode(value.item(), keep_infinities)
    return NotImplemented


def _iso_time(value: Any, numpy: Any) -> str:
    """Write a time as Python does, to the microsecond.

    One that Python cannot hold as NumPy does.
    """
    time = value.item()
    if isinstance(time, int):  # NumPy has a finer unit, or the year is out of Python's range
        rounded = value.astype("datetime64[us]")
        if rounded == value:
            time = rounded.item()
    if isinstance(time, int):
        return str(numpy.datetime_as_string(value))
    return str(time.isoformat())


def _encode_array(array: Any, numpy: Any, keep_infinities: bool) -> Any:
    """Convert an array: at once where NumPy's own conversion is exact, else item by item."""
    kind = array.dtype.kind
    if kind in EXACT_KINDS:
        return array.tolist()
    if kind == "f" and numpy.isfinite(array).all():
        return array.astype("float64").tolist()
    if kind not in "fOSM":
        raise NotEncodable(f"contains an array of {array.dtype}, which has no JSON form")
    if array.ndim == 0:
        return _encode(array[()], keep_infinities)
    return [_encode(item, keep_infinities) for item in array]


def _encode_pandas(value: Any, pandas: Any, keep_infinities: bool) -> Any:
    """Convert a value of pandas; give `NotImplemented` for others."""
    if isinstance(value, pandas.Series):
        value = value.to_frame()
    if isinstance(value, pandas.DataFrame):
        if not value.columns.is_unique:
            raise NotEncodable("contains a data frame in which columns have the same name")
        return _encode(value.to_dict(orient="records"), keep_infinities)
    if isinstance(value, (pandas.Index, pandas.api.extensions.ExtensionArray)):
        return _encode(value.tolist(), keep_infinities)
    return NotImplemented


def _key(key: Any) -> str:
    """Write the key of a dictionary as a string, as Python's own JSON encoder does."""
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return JSON_KEYS[key]
    plain = key.item() if hasattr(key, "item") else key
    if isinstance(plain, (int, float)):
        return str(plain)
    if isinstance(plain, (datetime.date, datetime.time)):
        return plain.isoformat()
    raise NotEncodable(f"contains an object with the key {key!r}; JSON keys are strings")
