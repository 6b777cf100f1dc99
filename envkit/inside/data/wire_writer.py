"""The writer of `wire`: a value of Python as the nodes of a JSON text, and the buffers of its arrays."""

from __future__ import annotations

import base64
import datetime
import decimal
import sys
import uuid
from typing import Any, Dict, List

from .answer import NotEncodable

PLAIN = "biufcSUmM?"  # kinds of arrays whose buffer says all
TEXTS = "T"  # the kind of arrays of texts of any length, since NumPy 2
COMPRESSED = ("data", "indices", "indptr")
SPARSE = {"csr": COMPRESSED, "csc": COMPRESSED, "bsr": COMPRESSED, "dia": ("data", "offsets")}
OTHER_SPARSE = ("coo", "dok", "lil")  # they go as `coo`
ISO: Dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}


class Writer:
    """Makes nodes of values; `buffers` are those of the arrays, in their order."""

    def __init__(self) -> None:
        self.buffers: List[bytes] = []

    def node(self, value: Any) -> Any:
        """Give the JSON value. Raises `NotEncodable` for a value that has none."""
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return value
        if kind is list:
            return [self.node(each) for each in value]
        if kind is tuple:
            return {"$": "tuple", "items": [self.node(each) for each in value]}
        if isinstance(value, dict) and not _is_sparse(value):
            return {
                "$": "dict",
                "items": [[self.node(key), self.node(each)] for key, each in value.items()],
            }
        if isinstance(value, (bytes, bytearray)):
            name = "bytes" if isinstance(value, bytes) else "bytearray"
            return {"$": name, "base64": base64.b64encode(value).decode("ascii")}
        if isinstance(value, (set, frozenset)):
            return {"$": kind.__name__, "items": [self.node(each) for each in value]}
        if kind is range:
            return {"$": "range", "parts": [value.start, value.stop, value.step]}
        return self._of_library(value)

    def _of_library(self, value: Any) -> Any:
        for library, convert in (("pandas", self._pandas), ("numpy", self._numpy)):
            if library in sys.modules:
                found = convert(value, sys.modules[library])
                if found is not NotImplemented:
                    return found
        if _is_sparse(value):
            return self._sparse(value)
        return self._standard(value)

    def _standard(self, value: Any) -> Any:
        for kind, python in ISO.items():
            if isinstance(value, python):
                zone = getattr(getattr(value, "tzinfo", None), "key", None)
                return {"$": kind, "iso": value.isoformat(), "zone": zone}
        if isinstance(value, datetime.timedelta):
            return {"$": "timedelta", "parts": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, complex):
            return {"$": "complex", "parts": [value.real, value.imag]}
        if isinstance(value, (decimal.Decimal, uuid.UUID)):
            return {"$": type(value).__name__, "text": str(value)}
        if hasattr(value, "model_dump"):  # pydantic
            return self.node(value.model_dump())
        if hasattr(type(value), "__dataclass_fields__"):
            return self.node(
                {name: getattr(value, name) for name in type(value).__dataclass_fields__}
            )
        kinds: Any = (str, int, float, list, tuple)
        for base in kinds:  # a class of its own: an enumeration, a named tuple
            if isinstance(value, base):
                return self.node(base(getattr(value, "value", value)))
        raise NotEncodable(
            f"a {type(value).__module__}.{type(value).__qualname__} has no form outside its process"
        )

    def _numpy(self, value: Any, numpy: Any) -> Any:
        if isinstance(value, numpy.ma.MaskedArray):
            parts = (value.data, numpy.ma.getmaskarray(value))
            return {"$": "masked", "parts": [self._array(each, numpy) for each in parts]}
        if isinstance(value, numpy.ndarray):
            return self._array(value, numpy)
        if isinstance(value, numpy.generic):
            return {"$": "scalar", "of": self._array(numpy.asarray(value), numpy)}
        return NotImplemented

    def _array(self, array: Any, numpy: Any) -> Any:
        shape = list(array.shape)
        if array.dtype.kind == "O":
            return {
                "$": "array",
                "dtype": "O",
                "shape": shape,
                "items": [self.node(each) for each in array.flat],
            }
        if array.dtype.names:
            fields = [[name, self._array(array[name], numpy)] for name in array.dtype.names]
            return {"$": "records", "shape": shape, "fields": fields}
        if array.dtype.kind not in PLAIN:
            if not hasattr(array, "tolist"):
                raise NotEncodable(f"an array of {array.dtype} has no form outside its process")
            form = TEXTS if array.dtype.kind == TEXTS else "O"
            return {
                "$": "array",
                "dtype": form,
                "shape": shape,
                "items": [self.node(each) for each in array.flat],
            }
        self.buffers.append(numpy.ascontiguousarray(array).tobytes())
        return {
            "$": "array",
            "dtype": array.dtype.str,
            "shape": shape,
            "buffer": len(self.buffers) - 1,
        }

    def _sparse(self, matrix: Any) -> Any:
        numpy = sys.modules["numpy"]
        if matrix.format in SPARSE:
            parts = [getattr(matrix, name) for name in SPARSE[matrix.format]]
        else:
            coordinates = matrix.tocoo()
            parts = [coordinates.data, coordinates.row, coordinates.col]
        found = {"$": "sparse", "format": matrix.format, "shape": list(matrix.shape)}
        if type(matrix).__name__.endswith("_array"):
            kind = "array"
        else:
            kind = "matrix"
        return {**found, "class": kind, "parts": [self._array(each, numpy) for each in parts]}

    def _pandas(self, value: Any, pandas: Any) -> Any:
        if isinstance(value, pandas.DataFrame):
            columns = [
                self._values(value.iloc[:, place], pandas) for place in range(value.shape[1])
            ]
            names = self._index(value.columns, pandas)
            return {
                "$": "frame",
                "columns": names,
                "index": self._index(value.index, pandas),
                "data": columns,
            }
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
            zone = _zone(getattr(value, "tzinfo", None))
            return {"$": type(value).__name__, "iso": value.isoformat(), "zone": zone}
        if isinstance(value, pandas.Period):
            return {"$": "Period", "ordinal": value.ordinal, "freq": value.freqstr}
        if isinstance(value, pandas.Interval):
            return {
                "$": "Interval",
                "ends": [self.node(value.left), self.node(value.right)],
                "closed": value.closed,
            }
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return {"$": "extension", "values": self._values(pandas.Series(value), pandas)}
        return NotImplemented

    def _values(self, series: Any, pandas: Any) -> Any:
        """The values of a column, or of an index, with the name of their type."""
        dtype = series.dtype
        if isinstance(dtype, pandas.CategoricalDtype):
            categories = self._values(pandas.Series(dtype.categories), pandas)
            codes = self.node(pandas.Categorical(series).codes)
            return {
                "dtype": "category",
                "categories": categories,
                "codes": codes,
                "ordered": bool(dtype.ordered),
            }
        if isinstance(dtype, pandas.DatetimeTZDtype):
            zone = _zone(dtype.tz)
            if zone is None:
                raise NotEncodable(
                    f"times of the zone {dtype.tz!r}, which has no name, have no form outside its process"
                )
            plain = series.array.tz_convert("UTC").tz_localize(None)
            return {
                "dtype": str(dtype),
                "zone": zone,
                "array": self.node(pandas.Series(plain).to_numpy()),
            }
        values = series.to_numpy()
        if not hasattr(dtype, "kind") or type(dtype).__module__.startswith("numpy"):
            return {"dtype": None, "array": self.node(values)}
        items = [
            None if pandas.api.types.is_scalar(each) and pandas.isna(each) else each
            for each in series.tolist()
        ]
        return {"dtype": str(dtype), "array": self.node(items)}

    def _index(self, index: Any, pandas: Any) -> Any:
        names = [self.node(each) for each in index.names]
        if isinstance(index, pandas.RangeIndex):
            return {"kind": "range", "names": names, "parts": [index.start, index.stop, index.step]}
        if isinstance(index, pandas.MultiIndex):
            levels = [
                self._values(index.get_level_values(place), pandas)
                for place in range(index.nlevels)
            ]
            return {"kind": "multi", "names": names, "levels": levels}
        found = {"kind": "plain", "names": names, "values": self._values(index, pandas)}
        if isinstance(index, pandas.DatetimeIndex) and index.freq:
            return {**found, "freq": index.freqstr}
        return found


def _is_sparse(value: Any) -> bool:
    form = getattr(value, "format", None)
    known = type(value).__module__.startswith("scipy.sparse") and (
        form in SPARSE or form in OTHER_SPARSE
    )
    return known and len(value.shape) == 2


def _zone(zone: Any) -> Any:
    """The name of a time zone; None for one without."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # those of Python and of pytz
    if name is None and isinstance(zone, datetime.timezone):
        return str(zone)
    return name
