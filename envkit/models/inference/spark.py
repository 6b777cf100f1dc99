"""The schema of Spark DataFrames. Nothing here imports PySpark: the data bring it."""

from __future__ import annotations

from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import Array, DataType, Object, Property, SparkMLVector, Type
from envkit.models.schema import ColSpec, Schema

# Spark's short names of types, which no version has changed.
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
    """Return whether a value is a Spark DataFrame, classic or Connect."""
    return any(
        kind.__module__.startswith("pyspark.sql") and kind.__name__ == "DataFrame"
        for kind in type(value).__mro__
    )


def schema_of_frame(frame: Any) -> Schema:
    """Return the columns of a frame, all required, because Spark calls nearly all nullable.

    A map becomes an object with the keys that occur, for which the data are read. Raises
    `InvalidArgument` for a column without a type.
    """
    return Schema([_column(field, frame) for field in frame.schema.fields])


def _column(field: Any, frame: Any) -> ColSpec:
    if hasattr(field.dataType, "keyType"):
        return ColSpec(_object_of_map(field.dataType, frame, field.name), field.name)
    return ColSpec(_type(field.dataType, field.name), field.name)


def _type(spark_type: Any, column: str) -> Type:
    short_name = spark_type.simpleString()
    if short_name in _BASIC:
        return _BASIC[short_name]
    if hasattr(spark_type, "elementType"):
        return Array(_type(spark_type.elementType, column))
    if hasattr(spark_type, "fields"):
        return _object_of_struct(spark_type, column)
    if hasattr(spark_type, "keyType"):
        raise InvalidArgument(f"Column `{column}` has a map inside another type; make it a struct.")
    if short_name == "vector":
        return SparkMLVector()
    raise InvalidArgument(f"Column `{column}`: a signature has no type for Spark's {short_name}.")


def _object_of_struct(struct: Any, column: str) -> Object:
    properties = []
    for field in struct.fields:
        kind = _type(field.dataType, column)
        properties.append(Property(field.name, kind, not field.nullable))
    return Object(properties)


def _object_of_map(spark_type: Any, frame: Any, column: str) -> Object:
    kind = _type(spark_type.valueType, column)
    rows = frame.selectExpr(f"explode(map_keys(`{column}`)) as key").distinct().collect()
    return Object([Property(row["key"], kind) for row in rows])
