"""Values of Python as bytes, with their types, between two interpreters of which one is not trusted.

Nothing in the bytes can run code: they are a JSON text and the plain buffers of arrays. The two interpreters may have
different versions of Python, NumPy and pandas.

    8 bytes      number of bytes of the JSON text, big-endian, then that text
    for each of its buffers: 8 bytes, its length, then the buffer

In the JSON text a value is `null`, `true`, `false`, a number (also `NaN`, `Infinity`), a text, a list, or an object
whose key `$` names its kind; the functions below are the list of those.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import struct
import sys
import uuid
from importlib import import_module
from typing import Any, Callable, Dict, List

from .answer import NotEncodable

PLAIN = "biufcSUmM?"  # kinds of arrays whose buffer says all
SPARSE = {"csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr"), "coo": ("data", "row", "col")}
STANDARD_KINDS = "tuple dict set frozenset bytes datetime date time timedelta complex Decimal UUID"
LIBRARY_KINDS = "scalar array sparse frame series index NA NaT Timestamp Timedelta"
KINDS = frozenset(f"{STANDARD_KINDS} {LIBRARY_KINDS}".split())
ISO: Dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}


class Malformed(ValueError):
    """The bytes are not what `dumps` gives."""


def dumps(value: Any) -> bytes:
    """Give the bytes. Raises `NotEncodable` for a value that has no form here."""
    writer = _Writer()
    try:
        text = json.dumps(writer.node(value)).encode("utf-8", "surrogatepass")
    except RecursionError as error:
        raise NotEncodable("the value contains itself, or is nested too deeply") from error
    parts = [struct.pack(">Q", len(text)), text]
    for each in writer.buffers:
        parts += [struct.pack(">Q", len(each)), each]
    return b"".join(parts)


def loads(content: bytes) -> Any:
    """Give the value. Raises `Malformed`, and `ImportError` where its library is not installed."""
    try:
        parts = list(_parts(content))
        return _Reader(parts[1:]).value(json.loads(parts[0].decode("utf-8", "surrogatepass")))
    except ImportError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, ArithmeticError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _parts(content: bytes) -> Any:
    place = 0
    while place < len(content):
        (length,) = struct.unpack_from(">Q", content, place)
        place += 8
        if length > len(content) - place:
            raise Malformed("it is cut off")
        yield content[place : place + length]
        place += length


class _Writer:
    def __init__(self) -> None:
        self.buffers: List[bytes] = []

    def node(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return [self.node(each) for each in value]
        if kind is tuple:
            return {"$": "tuple", "items": [self.node(each) for each in value]}
        if isinstance(value, dict):
            return {"$": "dict", "items": [[self.node(key), self.node(each)] for key, each in value.items()]}
        if isinstance(value, (bytes, bytearray)):
            return {"$": "bytes", "base64": base64.b64encode(value).decode("ascii")}
        if isinstance(value, (set, frozenset)):
            return {"$": kind.__name__, "items": [self.node(each) for each in value]}
        return self._of_library(value)

    def _of_library(self, value: Any) -> Any:
        for library, convert in (("pandas", self._pandas), ("numpy", self._numpy)):
            if library in sys.modules:
                found = convert(value, sys.modules[library])
                if found is not NotImplemented:
                    return found
        if type(value).__module__.startswith("scipy.sparse") and getattr(value, "format", None) in SPARSE:
            return self._sparse(value)
        return self._standard(value)

    def _standard(self, value: Any) -> Any:
        for kind, python in ISO.items():
            if isinstance(value, python):
                return {"$": kind, "iso": value.isoformat()}
        if isinstance(value, datetime.timedelta):
            return {"$": "timedelta", "parts": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, complex):
            return {"$": "complex", "parts": [value.real, value.imag]}
        if isinstance(value, (decimal.Decimal, uuid.UUID)):
            return {"$": type(value).__name__, "text": str(value)}
        if hasattr(value, "model_dump"):  # pydantic
            return self.node(value.model_dump())
        if hasattr(type(value), "__dataclass_fields__"):
            return self.node({name: getattr(value, name) for name in type(value).__dataclass_fields__})
        kinds: Any = (str, int, float, list, tuple)
        for base in kinds:  # a class of its own: an enumeration, a named tuple
            if isinstance(value, base):
                return self.node(base(getattr(value, "value", value)))
        raise NotEncodable(f"a {type(value).__module__}.{type(value).__qualname__} has no form outside its process")

    def _numpy(self, value: Any, numpy: Any) -> Any:
        if isinstance(value, numpy.ndarray):
            return self._array(value, numpy)
        if isinstance(value, numpy.generic):
            return {"$": "scalar", "of": self._array(numpy.asarray(value), numpy)}
        return NotImplemented

    def _array(self, array: Any, numpy: Any) -> Any:
        shape = list(array.shape)
        if array.dtype.kind == "O":
            return {"$": "array", "dtype": "O", "shape": shape, "items": [self.node(each) for each in array.flat]}
        if array.dtype.kind not in PLAIN or array.dtype.names:
            if not hasattr(array, "tolist") or array.dtype.names:
                raise NotEncodable(f"an array of {array.dtype} has no form outside its process")
            return {"$": "array", "dtype": "O", "shape": shape, "items": [self.node(each) for each in array.flat]}
        self.buffers.append(numpy.ascontiguousarray(array).tobytes())
        return {"$": "array", "dtype": array.dtype.str, "shape": shape, "buffer": len(self.buffers) - 1}

    def _sparse(self, matrix: Any) -> Any:
        numpy = sys.modules["numpy"]
        parts = [self._array(getattr(matrix, name), numpy) for name in SPARSE[matrix.format]]
        return {"$": "sparse", "format": matrix.format, "shape": list(matrix.shape), "parts": parts}

    def _pandas(self, value: Any, pandas: Any) -> Any:
        if isinstance(value, pandas.DataFrame):
            columns = [self._values(value.iloc[:, place], pandas) for place in range(value.shape[1])]
            names = self._index(value.columns, pandas)
            return {"$": "frame", "columns": names, "index": self._index(value.index, pandas), "data": columns}
        if isinstance(value, pandas.Series):
            index = self._index(value.index, pandas)
            return {
                "$": "series",
                "name": self.node(value.name),
                "index": index,
                "values": self._values(value, pandas),
            }
        if isinstance(value, pandas.Index):
            return {"$": "index", "of": self._index(value, pandas)}
        if value is pandas.NA or value is pandas.NaT:
            return {"$": "NA" if value is pandas.NA else "NaT"}
        if isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
            return {"$": type(value).__name__, "iso": value.isoformat()}
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return self.node(value.tolist())
        return NotImplemented

    def _values(self, series: Any, pandas: Any) -> Any:
        """The values of a column, or of an index, with the name of their type."""
        dtype = series.dtype
        if isinstance(dtype, pandas.CategoricalDtype):
            categories = self._values(pandas.Series(dtype.categories), pandas)
            codes = self.node(pandas.Categorical(series).codes)
            return {"dtype": "category", "categories": categories, "codes": codes, "ordered": bool(dtype.ordered)}
        if isinstance(dtype, pandas.DatetimeTZDtype):
            plain = series.array.tz_convert("UTC").tz_localize(None)
            return {"dtype": str(dtype), "zone": str(dtype.tz), "array": self.node(pandas.Series(plain).to_numpy())}
        values = series.to_numpy()
        if not hasattr(dtype, "kind") or type(dtype).__module__.startswith("numpy"):
            return {"dtype": None, "array": self.node(values)}
        items = [None if pandas.api.types.is_scalar(each) and pandas.isna(each) else each for each in series.tolist()]
        return {"dtype": str(dtype), "array": self.node(items)}

    def _index(self, index: Any, pandas: Any) -> Any:
        names = [self.node(each) for each in index.names]
        if isinstance(index, pandas.RangeIndex):
            return {"kind": "range", "names": names, "parts": [index.start, index.stop, index.step]}
        if isinstance(index, pandas.MultiIndex):
            levels = [self._values(index.get_level_values(place), pandas) for place in range(index.nlevels)]
            return {"kind": "multi", "names": names, "levels": levels}
        return {"kind": "plain", "names": names, "values": self._values(index, pandas)}


class _Reader:
    def __init__(self, buffers: List[bytes]) -> None:
        self._buffers = buffers

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.value(each) for each in node]
        if not isinstance(node, dict):
            return node
        read: Callable[[Any], Any] | None = getattr(self, f"_{str(node['$']).lower()}", None)
        if read is None or node["$"] not in KINDS:
            raise Malformed(f"a value of the unknown kind {node['$']!r}")
        return read(node)

    def _tuple(self, node: Any) -> Any:
        return tuple(self.value(each) for each in node["items"])

    def _dict(self, node: Any) -> Any:
        return {self.value(key): self.value(each) for key, each in node["items"]}

    def _set(self, node: Any) -> Any:
        return {self.value(each) for each in node["items"]}

    def _frozenset(self, node: Any) -> Any:
        return frozenset(self._set(node))

    def _bytes(self, node: Any) -> Any:
        return base64.b64decode(node["base64"])

    def _datetime(self, node: Any) -> Any:
        return ISO[node["$"]].fromisoformat(node["iso"])

    _date = _time = _datetime

    def _timedelta(self, node: Any) -> Any:
        if "iso" in node:
            return import_module("pandas").Timedelta(node["iso"])
        return datetime.timedelta(*node["parts"])

    def _timestamp(self, node: Any) -> Any:
        return import_module("pandas").Timestamp(node["iso"])

    def _na(self, node: Any) -> Any:  # noqa: ARG002 - as the others
        return import_module("pandas").NA

    def _nat(self, node: Any) -> Any:  # noqa: ARG002 - as the others
        return import_module("pandas").NaT

    def _complex(self, node: Any) -> Any:
        return complex(*node["parts"])

    def _decimal(self, node: Any) -> Any:
        return decimal.Decimal(node["text"])

    def _uuid(self, node: Any) -> Any:
        return uuid.UUID(node["text"])

    def _scalar(self, node: Any) -> Any:
        return self._array(node["of"])[()]

    def _array(self, node: Any) -> Any:
        numpy = import_module("numpy")
        shape = tuple(node["shape"])
        if node["dtype"] == "O":
            array = numpy.empty(len(node["items"]), dtype=object)
            for place, each in enumerate(node["items"]):
                array[place] = self.value(each)
            return array.reshape(shape)
        dtype = numpy.dtype(node["dtype"])
        if dtype.hasobject:
            raise Malformed("a buffer of objects")
        return numpy.frombuffer(self._buffers[node["buffer"]], dtype=dtype).reshape(shape).copy()

    def _sparse(self, node: Any) -> Any:
        scipy = import_module("scipy.sparse")
        first, second, third = (self._array(each) for each in node["parts"])
        parts = (first, (second, third)) if node["format"] == "coo" else (first, second, third)
        if node["format"] not in SPARSE:
            raise Malformed("a matrix of an unknown format")
        return getattr(scipy, f"{node['format']}_matrix")(parts, shape=tuple(node["shape"]))

    def _frame(self, node: Any) -> Any:
        pandas = import_module("pandas")
        index = self._read_index(node["index"])
        data = {place: pandas.Series(self._column(each), index=index) for place, each in enumerate(node["data"])}
        frame = pandas.DataFrame(data, index=index)
        frame.columns = self._read_index(node["columns"])
        return frame

    def _series(self, node: Any) -> Any:
        pandas = import_module("pandas")
        index = self._read_index(node["index"])
        return pandas.Series(self._column(node["values"]), index=index, name=self.value(node["name"]))

    def _index(self, node: Any) -> Any:
        return self._read_index(node["of"])

    def _column(self, node: Any) -> Any:
        pandas = import_module("pandas")
        if node["dtype"] == "category":
            categories = pandas.Index(self._column(node["categories"]))
            return pandas.Categorical.from_codes(self.value(node["codes"]), categories, ordered=node["ordered"])
        values = self.value(node["array"])
        if "zone" in node:
            return pandas.Series(values).dt.tz_localize("UTC").dt.tz_convert(node["zone"]).array
        if node["dtype"] is None:
            return values
        try:
            return pandas.array(values, dtype=node["dtype"])
        except TypeError:  # a type that this version of pandas does not know
            return pandas.Series(values, dtype=object).array

    def _read_index(self, node: Any) -> Any:
        pandas = import_module("pandas")
        names = [self.value(each) for each in node["names"]]
        if node["kind"] == "range":
            return pandas.RangeIndex(*node["parts"], name=names[0])
        if node["kind"] == "multi":
            return pandas.MultiIndex.from_arrays([self._column(each) for each in node["levels"]], names=names)
        return pandas.Index(self._column(node["values"]), name=names[0])
