"""The writer of `wire`: from a Python value to the nodes of a JSON text, and buffers of arrays."""

from __future__ import annotations

import base64
import datetime
import decimal
import sys
import uuid
from typing import Any, Iterable

from .json_encoding import NotEncodable

SUBJECT = "the value"  # of the sentences of `NotEncodable`
BUFFER_KINDS = "biufcSUmM?"  # NumPy's kinds of arrays that a buffer holds completely
TEXT_KIND = "T"  # NumPy's kind of arrays of strings of any length, since NumPy 2
COMPRESSED = ("data", "indices", "indptr")
SPARSE = {
    "csr": COMPRESSED,
    "csc": COMPRESSED,
    "bsr": COMPRESSED,
    "dia": ("data", "offsets"),
}
OTHER_SPARSE = ("coo", "dok", "lil")  # they are written as `coo`
ISO: dict[str, Any] = {
    "datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
}
BUILTINS: Any = (str, int, float, list, tuple)


class Writer:
    """Converts values to nodes.

    A node is a value of JSON: itself for what JSON has, else an object whose key `$` names the kind
    of the value. buffers: the content of the arrays; their nodes have the index.
    """

    def __init__(self) -> None:
        self.buffers: list[bytes] = []

    def node(self, value: Any) -> Any:
        """Convert a value to its JSON value.

        Raises `NotEncodable` for a value of an unknown kind.
        """
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return self._nodes(value)
        if kind is tuple:
            return {"$": "tuple", "items": self._nodes(value)}
        if isinstance(value, dict) and not _is_sparse(value):  # a `dok` matrix is a dictionary, too
            return self._dict(value)
        if isinstance(value, bytes):
            return self._bytes("bytes", value)
        if isinstance(value, bytearray):
            return self._bytes("bytearray", value)
        if isinstance(value, (set, frozenset)):
            return {"$": kind.__name__, "items": self._nodes(value)}
        if kind is range:
            return {
                "$": "range",
                "parts": [value.start, value.stop, value.step],
            }
        return self._library_value(value)

    def _dict(self, value: Any) -> Any:
        pairs = []
        for key, item in value.items():
            pairs.append([self.node(key), self.node(item)])
        return {"$": "dict", "items": pairs}

    def _bytes(self, kind: str, value: Any) -> Any:
        text = base64.b64encode(value).decode("ascii")
        return {"$": kind, "base64": text}

    def _nodes(self, values: Iterable[Any]) -> list[Any]:
        """Convert each value."""
        return [self.node(value) for value in values]

    def _library_value(self, value: Any) -> Any:
        """Convert a value of a library that is imported, or else of the standard library."""
        for library, convert in (
            ("pandas", self._pandas),
            ("numpy", self._numpy),
        ):
            if library in sys.modules:
                node = convert(value, sys.modules[library])
                if node is not NotImplemented:
                    return node
        if _is_sparse(value):
            return self._sparse(value)
        return self._standard_value(value)

    def _standard_value(self, value: Any) -> Any:
        """Convert a value of the standard library, or of a class of the model's own."""
        kind = type(value)
        for name, time_class in ISO.items():
            if isinstance(value, time_class):
                return self._time(name, value)
        if isinstance(value, datetime.timedelta):
            return {
                "$": "timedelta",
                "parts": [value.days, value.seconds, value.microseconds],
            }
        if isinstance(value, complex):
            return {"$": "complex", "parts": [value.real, value.imag]}
        if isinstance(value, (decimal.Decimal, uuid.UUID)):
            return {"$": kind.__name__, "text": str(value)}
        if hasattr(value, "model_dump"):  # a model of pydantic
            return self.node(value.model_dump())
        if hasattr(kind, "__dataclass_fields__"):
            return self.node({name: getattr(value, name) for name in kind.__dataclass_fields__})
        for builtin in BUILTINS:  # the value is of a subclass: an enumeration, a named tuple
            if isinstance(value, builtin):
                return self.node(builtin(getattr(value, "value", value)))
        raise NotEncodable(
            f"contains a {kind.__module__}.{kind.__qualname__}, which cannot leave its process",
            SUBJECT,
        )

    def _time(self, kind: str, value: Any) -> Any:
        """Convert a time, with the name of its time zone."""
        zone = getattr(value, "tzinfo", None)
        return {
            "$": kind,
            "iso": value.isoformat(),
            "zone": getattr(zone, "key", None),
        }

    def _numpy(self, value: Any, numpy: Any) -> Any:
        """Convert a value of NumPy; give `NotImplemented` for others."""
        if isinstance(value, numpy.ma.MaskedArray):
            mask = numpy.ma.getmaskarray(value)
            parts = [self._array(value.data, numpy), self._array(mask, numpy)]
            return {"$": "masked", "parts": parts}
        if isinstance(value, numpy.ndarray):
            return self._array(value, numpy)
        if isinstance(value, numpy.generic):
            return {
                "$": "scalar",
                "of": self._array(numpy.asarray(value), numpy),
            }
        return NotImplemented

    def _array(self, array: Any, numpy: Any) -> Any:
        """Convert an array: by its fields, its buffer, or its items one by one."""
        dtype = array.dtype
        shape = list(array.shape)
        if dtype.names:
            return self._records(array, numpy)
        if dtype.kind in BUFFER_KINDS:
            self.buffers.append(numpy.ascontiguousarray(array).tobytes())
            place = len(self.buffers) - 1
            return {
                "$": "array",
                "dtype": dtype.str,
                "shape": shape,
                "buffer": place,
            }
        name = TEXT_KIND if dtype.kind == TEXT_KIND else "O"
        return {
            "$": "array",
            "dtype": name,
            "shape": shape,
            "items": self._nodes(array.flat),
        }

    def _records(self, array: Any, numpy: Any) -> Any:
        """Convert a structured array, field by field."""
        fields = [[name, self._array(array[name], numpy)] for name in array.dtype.names]
        return {
            "$": "records",
            "shape": list(array.shape),
            "fields": fields,
        }

    def _sparse(self, matrix: Any) -> Any:
        """Convert a sparse matrix or array: the arrays that its format consists of."""
        numpy = sys.modules["numpy"]
        if matrix.format in SPARSE:
            parts = [getattr(matrix, name) for name in SPARSE[matrix.format]]
        else:
            coordinates = matrix.tocoo()
            parts = [coordinates.data, coordinates.row, coordinates.col]
        is_array = type(matrix).__name__.endswith("_array")
        return {
            "$": "sparse",
            "format": matrix.format,
            "shape": list(matrix.shape),
            "class": "array" if is_array else "matrix",
            "parts": [self._array(part, numpy) for part in parts],
        }

    def _pandas(self, value: Any, pandas: Any) -> Any:
        """Convert a value of pandas; give `NotImplemented` for others."""
        if isinstance(value, pandas.DataFrame):
            return self._frame(value, pandas)
        if isinstance(value, pandas.Series):
            return {
                "$": "series",
                "name": self.node(value.name),
                "index": self._index(value.index, pandas),
                "values": self._values(value, pandas),
            }
        if isinstance(value, pandas.Index):
            return {"$": "index", "of": self._index(value, pandas)}
        if value is pandas.NA:
            return {"$": "NA"}
        if value is pandas.NaT:
            return {"$": "NaT"}
        if isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
            zone = _zone_name(getattr(value, "tzinfo", None))
            return {
                "$": type(value).__name__,
                "iso": value.isoformat(),
                "zone": zone,
            }
        if isinstance(value, pandas.Period):
            return {
                "$": "Period",
                "ordinal": value.ordinal,
                "freq": value.freqstr,
            }
        if isinstance(value, pandas.Interval):
            ends = [self.node(value.left), self.node(value.right)]
            return {
                "$": "Interval",
                "ends": ends,
                "closed": value.closed,
            }
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return {
                "$": "extension",
                "values": self._values(pandas.Series(value), pandas),
            }
        return NotImplemented

    def _frame(self, frame: Any, pandas: Any) -> Any:
        """Convert a data frame, column by column."""
        data = []
        for position in range(frame.shape[1]):  # by position: names may occur twice
            column = frame.iloc[:, position]
            data.append(self._values(column, pandas))
        return {
            "$": "frame",
            "columns": self._index(frame.columns, pandas),
            "index": self._index(frame.index, pandas),
            "data": data,
        }

    def _values(self, series: Any, pandas: Any) -> Any:
        """Convert the values of a column or an index, with the name of their type."""
        dtype = series.dtype
        if isinstance(dtype, pandas.CategoricalDtype):
            return {
                "dtype": "category",
                "categories": self._values(pandas.Series(dtype.categories), pandas),
                "codes": self.node(pandas.Categorical(series).codes),
                "ordered": bool(dtype.ordered),
            }
        if isinstance(dtype, pandas.DatetimeTZDtype):
            return self._times_with_zone(series, pandas)
        if not hasattr(dtype, "kind") or type(dtype).__module__.startswith("numpy"):
            return {"dtype": None, "array": self.node(series.to_numpy())}
        items = []
        for item in series.tolist():
            is_missing = pandas.api.types.is_scalar(item) and pandas.isna(item)
            items.append(None if is_missing else item)
        return {"dtype": str(dtype), "array": self.node(items)}

    def _times_with_zone(self, series: Any, pandas: Any) -> Any:
        """Convert times to UTC, with the name of their time zone."""
        zone = _zone_name(series.dtype.tz)
        if zone is None:
            raise NotEncodable(
                f"contains times of the time zone {series.dtype.tz!r}, which has no name",
                SUBJECT,
            )
        times = pandas.Series(series.array.tz_convert("UTC").tz_localize(None))
        return {
            "dtype": str(series.dtype),
            "zone": zone,
            "array": self.node(times.to_numpy()),
        }

    def _index(self, index: Any, pandas: Any) -> Any:
        """Convert the index of a frame or a series, or the names of columns."""
        names = self._nodes(index.names)
        if isinstance(index, pandas.RangeIndex):
            return {
                "kind": "range",
                "names": names,
                "parts": [index.start, index.stop, index.step],
            }
        if isinstance(index, pandas.MultiIndex):
            values = []
            for number in range(index.nlevels):
                level = index.get_level_values(number)
                values.append(self._values(level, pandas))
            return {
                "kind": "multi",
                "names": names,
                "levels": values,
            }
        node = {
            "kind": "plain",
            "names": names,
            "values": self._values(index, pandas),
        }
        if isinstance(index, pandas.DatetimeIndex) and index.freq:
            node["freq"] = index.freqstr
        return node


def _is_sparse(value: Any) -> bool:
    """Whether the value is a sparse matrix, of a format that is known here."""
    if not type(value).__module__.startswith("scipy.sparse"):
        return False
    name = getattr(value, "format", None)
    if name not in SPARSE and name not in OTHER_SPARSE:
        return False
    return len(value.shape) == 2


def _zone_name(zone: Any) -> Any:
    """Name a time zone; None for one without a name."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # of Python; of pytz
    if name is None and isinstance(zone, datetime.timezone):
        return str(zone)
    return name
