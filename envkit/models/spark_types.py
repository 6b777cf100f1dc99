"""Types of a signature as types of Spark, for readers of tables that a model scores."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import Array, DataType, Map, Object, SparkMLVector, Type

_CLASSES = {
    "boolean": "BooleanType",
    "integer": "IntegerType",
    "long": "LongType",
    "float": "FloatType",
    "double": "DoubleType",
    "string": "StringType",
    "binary": "BinaryType",
    "datetime": "TimestampType",
}


def spark_type(kind: Type) -> Any:
    """Return the type of Spark (imports PySpark); raise `InvalidArgument` for `AnyType`."""
    types = import_module("pyspark.sql.types")
    if isinstance(kind, DataType):
        return getattr(types, _CLASSES[kind.name])()
    if isinstance(kind, Array):
        return types.ArrayType(spark_type(kind.dtype))
    if isinstance(kind, Map):
        return types.MapType(types.StringType(), spark_type(kind.value_type))
    if isinstance(kind, SparkMLVector):
        return import_module("pyspark.ml.linalg").VectorUDT()
    if not isinstance(kind, Object):
        raise InvalidArgument(f"Spark has no type for {kind!r}.")
    fields = [
        types.StructField(item.name, spark_type(item.dtype), nullable=not item.required)
        for item in kind.properties
    ]
    return types.StructType(fields)
