"""The writer of `wire`: a Python value as the nodes of a JSON text, and the buffers of its arrays."""

from __future__ import annotations

import base64
import datetime
import decimal
import sys
import uuid
from typing import Any, Dict, Iterable, List

from .json_encoding import NotEncodable

SUBJECT = "the value"  # of the sentences of `NotEncodable`
BUFFER_KINDS = "biufcSUmM?"  # NumPy's kinds of arrays that a buffer holds completely
TEXT_KIND = "T"  # NumPy's kind of arrays of strings of any length, since NumPy 2
COMPRESSED = ("data", "indices", "indptr")
SPARSE = {"csr": COMPRESSED, "csc": COMPRESSED, "bsr": COMPRESSED, "dia": ("data", "offsets")}
OTHER_SPARSE = ("coo", "dok", "lil")  # they are written as `coo`
ISO: Dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
BUILTINS: Any = (str, int, float, list, tuple)


class Writer:
    """Converts values to nodes. buffers: the content of the arrays, in the order of their nodes."""

    def __init__(self) -> None:
        self.buffers: List[bytes] = []

    def node(self, value: Any) -> Any:
        """Convert a value to its JSON value. Raises `NotEncodable` for a value of an unknown kind."""
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return self._nodes(value)
        if kind is tuple:
            return {"$": "tuple", "items": self._nodes(value)}
        if isinstance(value, dict) and not _is_sparse(value):  # a `dok` matrix is a dictionary, too
            pairs = [[self.node(key), self.node(item)] for key, item in value.items()]
            return {"$": "dict", "items": pairs}
        if isinstance(value, (bytes, bytearray)):
            name = "bytes" if isinstance(value, bytes) else "bytearray"
            return {"$": name, "base64": base64.b64encode(value).decode("ascii")}
        if isinstance(value, (set, frozenset)):
            return {"$": kind.__name__, "items": self._nodes(value)}
        if kind is range:
            return {"$": "range", "parts": [value.start, value.stop, value.step]}
        return self._library_value(value)

    def _nodes(self, values: Iterable[Any]) -> List[Any]:
        return [self.node(value) for value in values]

    def _library_value(self, value: Any) -> Any:
        for library, convert in (("pandas", self._pandas), ("numpy", self._numpy)):
            if library in sys.modules:
                node = convert(value, sys.modules[library])
                if node is not NotImplemented:
                    return node
        if _is_sparse(value):
            return self._sparse(value)
        return self._standard_value(value)

    def _standard_value(self, value: Any) -> Any:
        kind = type(value)
        for name, time_class in ISO.items():
            if isinstance(value, time_class):
                zone = getattr(getattr(value, "tzinfo", None), "key", None)
                return {"$": name, "iso": value.isoformat(), "zone": zone}
        if isinstance(value, datetime.timedelta):
            return {"$": "timedelta", "parts": [value.days, value.seconds, value.microseconds]}
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

    def _numpy(self, value: Any, numpy: Any) -> Any:
        if isinstance(value, numpy.ma.MaskedArray):
            data = self._array(value.data, numpy)
            mask = self._array(numpy.ma.getmaskarray(value), numpy)
            return {"$": "masked", "parts": [data, mask]}
        if isinstance(value, numpy.ndarray):
            return self._array(value, numpy)
        if isinstance(value, numpy.generic):
            return {"$": "scalar", "of": self._array(numpy.asarray(value), numpy)}
        return NotImplemented

    def _array(self, array: Any, numpy: Any) -> Any:
        dtype = array.dtype
        shape = list(array.shape)
        if dtype.names:
            fields = [[name, self._array(array[name], numpy)] for name in dtype.names]
            return {"$": "records", "shape": shape, "fields": fields}
        if dtype.kind in BUFFER_KINDS:
            self.buffers.append(numpy.ascontiguousarray(array).tobytes())
            place = len(self.buffers) - 1
            return {"$": "array", "dtype": dtype.str, "shape": shape, "buffer": place}
        name = TEXT_KIND if dtype.kind == TEXT_KIND else "O"
        return {"$": "array", "dtype": name, "shape": shape, "items": self._nodes(array.flat)}

    def _sparse(self, matrix: Any) -> Any:
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
            return {"$": type(value).__name__, "iso": value.isoformat(), "zone": zone}
        if isinstance(value, pandas.Period):
            return {"$": "Period", "ordinal": value.ordinal, "freq": value.freqstr}
        if isinstance(value, pandas.Interval):
            ends = [self.node(value.left), self.node(value.right)]
            return {"$": "Interval", "ends": ends, "closed": value.closed}
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return {"$": "extension", "values": self._values(pandas.Series(value), pandas)}
        return NotImplemented

    def _frame(self, frame: Any, pandas: Any) -> Any:
        columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
        return {
            "$": "frame",
            "columns": self._index(frame.columns, pandas),
            "index": self._index(frame.index, pandas),
            "data": [self._values(column, pandas) for column in columns],
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
        zone = _zone_name(series.dtype.tz)
        if zone is None:
            raise NotEncodable(
                f"contains times of the time zone {series.dtype.tz!r}, which has no name", SUBJECT
            )
        times = pandas.Series(series.array.tz_convert("UTC").tz_localize(None))
        return {"dtype": str(series.dtype), "zone": zone, "array": self.node(times.to_numpy())}

    def _index(self, index: Any, pandas: Any) -> Any:
        names = self._nodes(index.names)
        if isinstance(index, pandas.RangeIndex):
            return {"kind": "range", "names": names, "parts": [index.start, index.stop, index.step]}
        if isinstance(index, pandas.MultiIndex):
            levels = [index.get_level_values(place) for place in range(index.nlevels)]
            values = [self._values(level, pandas) for level in levels]
            return {"kind": "multi", "names": names, "levels": values}
        node = {"kind": "plain", "names": names, "values": self._values(index, pandas)}
        if isinstance(index, pandas.DatetimeIndex) and index.freq:
            node["freq"] = index.freqstr
        return node


def _is_sparse(value: Any) -> bool:
    """Whether the value is a sparse matrix, of a format that is known here."""
    if not type(value).__module__.startswith("scipy.sparse"):
        return False
    name = getattr(value, "format", None)
    return (name in SPARSE or name in OTHER_SPARSE) and len(value.shape) == 2


def _zone_name(zone: Any) -> Any:
    """Name a time zone; None for one without a name."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # of Python; of pytz
    if name is None and isinstance(zone, datetime.timezone):
        return str(zone)
    return name
