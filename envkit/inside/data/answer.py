"""The answer of a model as JSON values, in the form of MLflow's scoring server, but always valid JSON."""

from __future__ import annotations

import base64
import datetime
import json
import math
import os
import sys
from typing import Any


class NotEncodable(TypeError):
    """The model's answer, or a part of it, has no form in JSON."""


def encode(value: Any, *, infinite: bool = False) -> Any:
    """Give `value` as JSON values.

    Data frames and series become lists of records, arrays lists, times ISO 8601 texts, bytes base64
    texts. What is missing or not finite (NaN, NA, NaT, infinities) becomes null; with `infinite`,
    where answers are to be compared, infinities become the texts `Infinity` and `-Infinity`. Raises
    `NotEncodable` for everything else.
    """
    try:
        return _encode(value, infinite)
    except RecursionError as error:
        raise NotEncodable("the model's answer contains itself, or is nested too deeply") from error


def write(predictions: Any, path: str) -> None:
    """Write `{"predictions": …}` to a file that appears whole or not at all."""
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


def _encode(value: Any, infinite: bool) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        return _not_finite(value, infinite)
    if isinstance(value, dict):
        return {_key(key): _encode(each, infinite) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(each, infinite) for each in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.encodebytes(value).decode("ascii")
    return _encode_scalar(value, infinite)


def _not_finite(value: float, infinite: bool) -> str | None:
    if math.isnan(value) or not infinite:
        return None
    if value > 0:
        return "Infinity"
    return "-Infinity"


def _encode_scalar(value: Any, infinite: bool) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    for library, convert in (("numpy", _encode_numpy), ("pandas", _encode_pandas)):
        module = sys.modules.get(library)
        if module is not None:
            found = convert(value, module, infinite)
            if found is not NotImplemented:
                return found
    if isinstance(value, (int, float, str)):  # of a class of its own: an enumeration, a subclass
        plain = next(base for base in (int, float, str) if isinstance(value, base))
        return _encode(plain(value), infinite)
    if type(value).__module__.startswith("scipy.sparse"):
        return _encode(value.toarray(), infinite)
    if hasattr(type(value), "model_dump"):  # pydantic
        return _encode(value.model_dump(), infinite)
    raise NotEncodable(
        f"the model's answer has a {type(value).__module__}.{type(value).__qualname__}, not JSON values"
    )


def _encode_numpy(value: Any, numpy: Any, infinite: bool) -> Any:
    if isinstance(value, numpy.ndarray):
        return _encode_array(value, numpy, infinite)
    if isinstance(value, numpy.datetime64):
        if numpy.isnat(value):
            return None
        return _iso(value, numpy)
    if isinstance(value, numpy.floating):
        return _encode(float(value), infinite)
    if isinstance(value, numpy.generic) and value.dtype.kind in "biuSU":
        return _encode(value.item(), infinite)
    return NotImplemented


def _iso(value: Any, numpy: Any) -> str:
    """Write a time as Python does, to the microsecond; one that Python cannot hold as NumPy does."""
    plain = value.item()
    if isinstance(plain, int):  # of a finer unit, or far away
        rounded = value.astype("datetime64[us]")
        plain = rounded.item() if rounded == value else plain
    if isinstance(plain, int):
        return str(numpy.datetime_as_string(value))
    return str(plain.isoformat())


def _encode_array(array: Any, numpy: Any, infinite: bool) -> Any:
    if array.dtype.kind in "biuU" or (array.dtype.kind == "f" and numpy.isfinite(array).all()):
        if array.dtype.kind == "f":
            return array.astype("float64").tolist()
        return array.tolist()
    if array.dtype.kind in "fOSM":
        if array.ndim == 0:
            return _encode(array[()], infinite)
        return [_encode(each, infinite) for each in array]
    raise NotEncodable(f"the model's answer is an array of {array.dtype}, not of JSON values")


def _encode_pandas(value: Any, pandas: Any, infinite: bool) -> Any:
    if isinstance(value, pandas.Series):
        value = value.to_frame()
    if isinstance(value, pandas.DataFrame):
        if not value.columns.is_unique:
            raise NotEncodable("the model's answer is a data frame in which columns share a name")
        return _encode(value.to_dict(orient="records"), infinite)
    if isinstance(value, (pandas.Index, pandas.api.extensions.ExtensionArray)):
        return _encode(value.tolist(), infinite)
    return NotImplemented


def _key(key: Any) -> Any:
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    plain = key.item() if hasattr(key, "item") else key
    if isinstance(plain, (int, float)):
        return str(plain)
    if isinstance(plain, (datetime.date, datetime.time)):
        return plain.isoformat()
    raise NotEncodable(f"the model's answer has the key {key!r}; JSON takes texts")
