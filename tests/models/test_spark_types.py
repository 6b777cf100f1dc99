"""Schemas as those of Spark."""

from __future__ import annotations

import pytest

from envkit.errors import InvalidArgument
from envkit.models import AnyType, Array, ColSpec, Map, Object, Property, Schema, TensorSpec


def test_a_schema_is_a_struct_of_spark() -> None:
    pytest.importorskip("pyspark")
    kind = Object([Property("a", "long"), Property("b", Array("double"), required=False)])
    schema = Schema(
        [ColSpec("string", "s", required=False), ColSpec(kind, "o"), ColSpec(Map("boolean"), "m")]
    )

    assert schema.as_spark_schema().simpleString() == (
        "struct<s:string,o:struct<a:bigint,b:array<double>>,m:map<string,boolean>>"
    )
    assert Schema([ColSpec("datetime")]).as_spark_schema().simpleString() == "timestamp"


def test_what_spark_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="Tensors cannot be converted"):
        Schema([TensorSpec("float64", (-1,))]).as_spark_schema()
    pytest.importorskip("pyspark")
    with pytest.raises(InvalidArgument, match="Spark has no type for"):
        Schema([ColSpec(AnyType())]).as_spark_schema()
