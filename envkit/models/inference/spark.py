"""The schema of Spark's data frames. PySpark is imported when one is given, never before."""

from __future__ import annotations

from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import Array, DataType, Object, Property, SparkMLVector, Type
from envkit.models.schema import ColSpec, Schema

_BASIC = {
    "boolean": DataType.boolean,
    "tinyint": DataType.integer,
    "smallint": DataType.integer,
    "int": DataType.integer,
    "bigint": DataType.long,
    "float": DataType.float,
    "double": DataType.double,
    "string": DataType.string,
    "binary": DataType.binary,
    "date": DataType.datetime,
    "timestamp": DataType.datetime,
    "timestamp_ntz": DataType.datetime,
}


def is_frame(value: Any) -> bool:
    """Whether it is a data frame of Spark, classic or Connect."""
    return any(
        kind.__module__.startswith("pyspark.sql") and kind.__name__ == "DataFrame"
        for kind in type(value).__mro__
    )


def schema_of_frame(frame: Any) -> Schema:
    """Give a column for each of the frame; all are required, since Spark calls nearly all nullable.

    A map becomes an object with the keys that the data have, for which the data are read.
    Raises `InvalidArgument` for a column without a type.
    """
    return Schema(
        [
            ColSpec(_type(field.dataType, frame, field.name), field.name)
            for field in frame.schema.fields
        ]
    )


def _type(kind: Any, frame: Any, name: str) -> Type:
    """Name Spark's types by their own short names, which no version has changed."""
    said = kind.simpleString()
    if said in _BASIC:
        return _BASIC[said]
    if hasattr(kind, "elementType"):
        return Array(_type(kind.elementType, None, name))
    if hasattr(kind, "fields"):
        return Object(
            [
                Property(each.name, _type(each.dataType, None, name), not each.nullable)
                for each in kind.fields
            ]
        )
    if hasattr(kind, "keyType"):
        return _object_of_map(kind, frame, name)
    if said == "vector":
        return SparkMLVector()
    raise InvalidArgument(f"Column `{name}`: a signature has no type for Spark's {said}.")


def _object_of_map(kind: Any, frame: Any, name: str) -> Object:
    if frame is None or hasattr(kind.valueType, "keyType"):
        raise InvalidArgument(
            f"Column `{name}` has a map inside of another type; make it a struct."
        )
    rows = frame.selectExpr(f"explode(map_keys(`{name}`)) as key").distinct().collect()
    return Object([Property(row["key"], _type(kind.valueType, None, name)) for row in rows])
