"""The reader of `wire`: from the nodes of a JSON text, and buffers of arrays, to Python values."""

from __future__ import annotations

import base64
import contextlib
import datetime
import decimal
import uuid
from importlib import import_module
from typing import Any, Callable

from .sparse_types import is_sparse, sparse_array
from .wire_writer import ISO, OTHER_SPARSE, SPARSE, TEXT_KIND

STANDARD_KINDS = (
    "tuple dict set frozenset bytes bytearray range "
    "datetime date time timedelta complex Decimal UUID"
)
LIBRARY_KINDS = (
    "scalar array masked records sparse "
    "frame series index extension NA NaT Timestamp Timedelta Period Interval"
)
KINDS = frozenset(f"{STANDARD_KINDS} {LIBRARY_KINDS}".split())


class Malformed(ValueError):
    """The bytes are not what `dumps` writes."""


class Reader:
    """Converts nodes to values; the method `_kind` reads a node of that kind, in lower case.

    Nothing that it reads can run code.
    """

    def __init__(self, buffers: list[memoryview]) -> None:
        self._buffers = buffers

    def value(self, node: Any) -> Any:
        """Convert a node. Raises `Malformed`, or whatever a malformed node makes Python raise."""
        if isinstance(node, list):
            return self._values(node)
        if not isinstance(node, dict):
            return node
        kind = str(node["$"])
        if kind not in KINDS:
            raise Malformed(f"a value of the unknown kind {kind!r}")
        read: Callable[[Any], Any] = getattr(self, f"_{kind.lower()}")
        return read(node)

    def _values(self, nodes: Any) -> list[Any]:
        """Convert each node of a list."""
        return [self.value(node) for node in nodes]

    def _tuple(self, node: Any) -> Any:
        return tuple(self._values(node["items"]))

    def _dict(self, node: Any) -> Any:
        value = {}
        for key, item in node["items"]:
            value[self.value(key)] = self.value(item)
        return value

    def _set(self, node: Any) -> Any:
        return set(self._values(node["items"]))

    def _frozenset(self, node: Any) -> Any:
        return frozenset(self._values(node["items"]))

    def _bytes(self, node: Any) -> Any:
        return base64.b64decode(node["base64"])

    def _bytearray(self, node: Any) -> Any:
        return bytearray(self._bytes(node))

    def _range(self, node: Any) -> Any:
        return range(*node["parts"])

    def _datetime(self, node: Any) -> Any:
        time = datetime.datetime.fromisoformat(node["iso"])
        if not node.get("zone"):
            return time
        try:
            zone = import_module("zoneinfo").ZoneInfo(node["zone"])
            return time.astimezone(zone)
        except (ImportError, KeyError, ValueError):
            return time  # Python 3.8, or a zone that is unknown here: the time keeps its offset

    def _date(self, node: Any) -> Any:
        return ISO[node["$"]].fromisoformat(node["iso"])

    _time = _date

    def _timedelta(self, node: Any) -> Any:
        if "iso" in node:  # the `Timedelta` of pandas has the same name in lower case
            return import_module("pandas").Timedelta(node["iso"])
        return datetime.timedelta(*node["parts"])

    def _timestamp(self, node: Any) -> Any:
        """Read a time of pandas, whose zone is known by name."""
        timestamp = import_module("pandas").Timestamp(node["iso"])
        if node.get("zone"):
            return timestamp.tz_convert(node["zone"])
        return timestamp

    def _period(self, node: Any) -> Any:
        period = import_module("pandas").Period
        return period(ordinal=node["ordinal"], freq=node["freq"])

    def _interval(self, node: Any) -> Any:
        interval = import_module("pandas").Interval
        left, right = self._values(node["ends"])
        return interval(left, right, closed=node["closed"])

    def _extension(self, node: Any) -> Any:
        values = self._column(node["values"])
        return import_module("pandas").Series(values).array

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
        """Read an array of objects, of strings, or of a buffer."""
        numpy = import_module("numpy")
        if node["dtype"] == "O":
            array = self._objects(node, numpy)
        elif node["dtype"] == TEXT_KIND:
            texts = self._values(node["items"])
            array = numpy.array(texts, dtype=_text_dtype(numpy))
        else:
            array = self._from_buffer(node, numpy)
        return array.reshape(tuple(node["shape"]))

    def _objects(self, node: Any, numpy: Any) -> Any:
        """Read an array of any Python values."""
        items = self._values(node["items"])
        array = numpy.empty(len(items), dtype=object)
        for place, item in enumerate(items):
            array[place] = item  # one by one: NumPy takes an item that is a list for a row
        return array

    def _from_buffer(self, node: Any, numpy: Any) -> Any:
        """Read an array of numbers, times or strings of fixed length."""
        dtype = numpy.dtype(node["dtype"])
        if dtype.hasobject:
            raise Malformed("a buffer of objects")
        buffer = self._buffers[node["buffer"]]
        return numpy.frombuffer(buffer, dtype=dtype).copy()

    def _sparse(self, node: Any) -> Any:
        """Read a sparse matrix from its arrays."""
        scipy = import_module("scipy.sparse")
        name = node["format"]
        parts = [self._array(part) for part in node["parts"]]
        if name in SPARSE:
            written, data = name, tuple(parts)
        elif name in OTHER_SPARSE:
            values, *coordinates = parts
            written, data = "coo", (values, tuple(coordinates))
        else:
            raise Malformed("a matrix of an unknown format")
        matrix_class = getattr(scipy, f"{written}_matrix")
        # old versions of SciPy have no sparse arrays
        kind = getattr(scipy, f"{written}_{node['class']}", matrix_class)
        return kind(data, shape=tuple(node["shape"])).asformat(name)

    def _masked(self, node: Any) -> Any:
        data, mask = map(self._array, node["parts"])
        return import_module("numpy").ma.MaskedArray(data, mask=mask)

    def _records(self, node: Any) -> Any:
        """Read a structured array from the arrays of its fields."""
        numpy = import_module("numpy")
        shape = tuple(node["shape"])
        fields = {}
        dtype = []
        for name, array_node in node["fields"]:
            array = self.value(array_node)
            inner_shape = array.shape[len(shape) :]
            fields[name] = array
            dtype.append((name, array.dtype, inner_shape))
        records = numpy.empty(shape, dtype=dtype)
        for name, array in fields.items():
            records[name] = array
        return records

    def _frame(self, node: Any) -> Any:
        """Read a data frame, column by column."""
        pandas = import_module("pandas")
        index = self._read_index(node["index"])
        columns = {}
        for place, column in enumerate(node["data"]):
            values = self._column(column)
            columns[place] = _series_of(values, index, pandas)
        frame = pandas.DataFrame(columns, index=index)
        frame.columns = self._read_index(node["columns"])  # names, which may occur twice
        return frame

    def _series(self, node: Any) -> Any:
        pandas = import_module("pandas")
        values = self._column(node["values"])
        series = _series_of(values, self._read_index(node["index"]), pandas)
        return series.rename(self.value(node["name"]))

    def _index(self, node: Any) -> Any:
        return self._read_index(node["of"])

    def _column(self, node: Any) -> Any:
        """Read the values of a column or an index, with their type."""
        pandas = import_module("pandas")
        if node["dtype"] == "category":
            categories = pandas.Index(self._column(node["categories"]))
            codes = self.value(node["codes"])
            return pandas.Categorical.from_codes(codes, categories, ordered=node["ordered"])
        values = self.value(node["array"])
        if "zone" in node:
            times = pandas.Series(values).dt.tz_localize("UTC")
            return times.dt.tz_convert(node["zone"]).array
        if node["dtype"] is None:
            return values
        if is_sparse(node["dtype"]):
            return sparse_array(values, node["dtype"])
        try:
            return pandas.array(values, dtype=node["dtype"])
        except TypeError:  # this version of pandas does not have the type
            return pandas.Series(values, dtype=object).array

    def _read_index(self, node: Any) -> Any:
        """Read the index of a frame or a series, or the names of columns."""
        pandas = import_module("pandas")
        names = self._values(node["names"])
        if node["kind"] == "range":
            return pandas.RangeIndex(*node["parts"], name=names[0])
        if node["kind"] == "multi":
            levels = [self._column(level) for level in node["levels"]]
            return pandas.MultiIndex.from_arrays(levels, names=names)
        values = self._column(node["values"])
        options = {"dtype": object} if str(getattr(values, "dtype", "")) == "object" else {}
        index = pandas.Index(values, name=names[0], **options)
        if node.get("freq"):
            with contextlib.suppress(ValueError):  # this version of pandas has another name for it
                index.freq = node["freq"]
        return index


def _series_of(values: Any, index: Any, pandas: Any) -> Any:
    """Make a series, of which objects stay objects: pandas 3 would infer texts."""
    if str(getattr(values, "dtype", "")) == "object":
        return pandas.Series(values, index=index, dtype=object)
    return pandas.Series(values, index=index)


def _text_dtype(numpy: Any) -> Any:
    """Give the type of strings of any length, which NumPy has since version 2."""
    if hasattr(getattr(numpy, "dtypes", None), "StringDType"):
        return numpy.dtypes.StringDType()
    return object
