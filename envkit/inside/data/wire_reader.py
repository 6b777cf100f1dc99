"""The reader of `wire`: values of Python from the nodes of a JSON text and the buffers of its arrays."""

from __future__ import annotations

import base64
import contextlib
import datetime
import decimal
import uuid
from importlib import import_module
from typing import Any, Callable, List

from .wire_writer import ISO, OTHER_SPARSE, SPARSE, TEXTS

STANDARD_KINDS = "tuple dict set frozenset bytes bytearray range datetime date time timedelta complex Decimal UUID"
LIBRARY_KINDS = "scalar array masked records sparse frame series index extension NA NaT Timestamp Timedelta Period Interval"
KINDS = frozenset(f"{STANDARD_KINDS} {LIBRARY_KINDS}".split())


class Malformed(ValueError):
    """The bytes are not what `dumps` gives."""


class Reader:
    """Makes values of nodes; nothing that it reads can run code."""

    def __init__(self, buffers: List[memoryview]) -> None:
        self._buffers = buffers

    def value(self, node: Any) -> Any:
        """Give the value. Raises `Malformed`, or what a malformed node leads to."""
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

    def _bytearray(self, node: Any) -> Any:
        return bytearray(self._bytes(node))

    def _range(self, node: Any) -> Any:
        return range(*node["parts"])

    def _datetime(self, node: Any) -> Any:
        found = datetime.datetime.fromisoformat(node["iso"])
        try:
            if node.get("zone"):
                return found.astimezone(import_module("zoneinfo").ZoneInfo(node["zone"]))
            return found
        except (
            ImportError,
            KeyError,
            ValueError,
        ):  # Python 3.8, or a zone that is not known here: its offset is
            return found

    def _date(self, node: Any) -> Any:
        return ISO[node["$"]].fromisoformat(node["iso"])

    _time = _date

    def _timedelta(self, node: Any) -> Any:
        if "iso" in node:
            return import_module("pandas").Timedelta(node["iso"])
        return datetime.timedelta(*node["parts"])

    def _timestamp(self, node: Any) -> Any:
        found = import_module("pandas").Timestamp(node["iso"])
        if node.get("zone"):
            return found.tz_convert(node["zone"])
        return found

    def _period(self, node: Any) -> Any:
        return import_module("pandas").Period(ordinal=node["ordinal"], freq=node["freq"])

    def _interval(self, node: Any) -> Any:
        return import_module("pandas").Interval(
            *map(self.value, node["ends"]), closed=node["closed"]
        )

    def _extension(self, node: Any) -> Any:
        return import_module("pandas").Series(self._column(node["values"])).array

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
        if node["dtype"] == TEXTS:
            if hasattr(getattr(numpy, "dtypes", None), "StringDType"):
                texts = numpy.dtypes.StringDType()
            else:
                texts = object
            return numpy.array([self.value(each) for each in node["items"]], dtype=texts).reshape(
                shape
            )
        dtype = numpy.dtype(node["dtype"])
        if dtype.hasobject:
            raise Malformed("a buffer of objects")
        return numpy.frombuffer(self._buffers[node["buffer"]], dtype=dtype).reshape(shape).copy()

    def _sparse(self, node: Any) -> Any:
        scipy = import_module("scipy.sparse")
        parts = [self._array(each) for each in node["parts"]]
        form = node["format"] if node["format"] in SPARSE else "coo"
        if form == "coo":
            data = (parts[0], tuple(parts[1:]))
        else:
            data = tuple(parts)
        if node["format"] not in (*SPARSE, *OTHER_SPARSE):
            raise Malformed("a matrix of an unknown format")
        kind = getattr(scipy, f"{form}_{node['class']}", None) or getattr(scipy, f"{form}_matrix")
        return kind(data, shape=tuple(node["shape"])).asformat(node["format"])

    def _masked(self, node: Any) -> Any:
        data, mask = map(self._array, node["parts"])
        return import_module("numpy").ma.MaskedArray(data, mask=mask)

    def _records(self, node: Any) -> Any:
        numpy = import_module("numpy")
        shape = tuple(node["shape"])
        fields = [(name, self.value(each)) for name, each in node["fields"]]
        made = numpy.empty(
            shape, dtype=[(name, each.dtype, each.shape[len(shape) :]) for name, each in fields]
        )
        for name, each in fields:
            made[name] = each
        return made

    def _frame(self, node: Any) -> Any:
        pandas = import_module("pandas")
        index = self._read_index(node["index"])
        data = {
            place: pandas.Series(self._column(each), index=index)
            for place, each in enumerate(node["data"])
        }
        frame = pandas.DataFrame(data, index=index)
        frame.columns = self._read_index(node["columns"])
        return frame

    def _series(self, node: Any) -> Any:
        pandas = import_module("pandas")
        index = self._read_index(node["index"])
        return pandas.Series(
            self._column(node["values"]), index=index, name=self.value(node["name"])
        )

    def _index(self, node: Any) -> Any:
        return self._read_index(node["of"])

    def _column(self, node: Any) -> Any:
        pandas = import_module("pandas")
        if node["dtype"] == "category":
            categories = pandas.Index(self._column(node["categories"]))
            return pandas.Categorical.from_codes(
                self.value(node["codes"]), categories, ordered=node["ordered"]
            )
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
            return pandas.MultiIndex.from_arrays(
                [self._column(each) for each in node["levels"]], names=names
            )
        found = pandas.Index(self._column(node["values"]), name=names[0])
        if node.get("freq"):
            with contextlib.suppress(ValueError):  # a name of another version of pandas
                found.freq = node["freq"]
        return found
