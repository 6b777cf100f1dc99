"""The Spark types of predictions."""

from __future__ import annotations

from typing import Any

import pytest

from envkit.errors import InvalidArgument
from envkit.models import ColSpec, DataType, ModelSignature, Schema, TensorSpec
from envkit.spark.result_types import Array, ResultType, Struct, choose, ddl


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("int", "int"),
        ("INTEGER", "int"),
        ("bigint", "long"),
        ("long", "long"),
        ("float", "float"),
        ("double", "double"),
        ("string", "string"),
        ("bool", "boolean"),
        ("array<double>", Array("double")),
        ("ARRAY< bigint >", Array("long")),
        ("array<array<float>>", Array(Array("float"))),
        ("a double, b array<int>", Struct((("a", "double"), ("b", Array("int"))))),
        ("struct<a:string,`b c`:boolean>", Struct((("a", "string"), ("b c", "boolean")))),
    ],
)
def test_a_type_is_read_as_spark_writes_it(text: str, kind: ResultType) -> None:
    assert choose(text, None) == kind
    assert choose(ddl(kind), None) == kind


@pytest.mark.parametrize(
    "text",
    ["", "date", "map<string,int>", "array<map<string,int>>", "a", "a struct<b:int>", "array<"],
)
def test_a_type_that_predictions_cannot_be_converted_to_is_rejected(text: str) -> None:
    with pytest.raises(InvalidArgument, match="cannot be converted to the result_type"):
        choose(text, None)


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (None, "double"),
        ([ColSpec(DataType.long)], "long"),
        ([ColSpec(DataType.integer)], "int"),
        ([ColSpec(DataType.datetime)], "string"),
        (
            [ColSpec(DataType.double, "a"), ColSpec(DataType.string, "b")],
            Struct((("a", "double"), ("b", "string"))),
        ),
        ([TensorSpec("float64", (-1,))], "double"),
        ([TensorSpec("int64", (-1, 3))], Array("long")),
        ([TensorSpec("float32", (-1, 2, 2))], Array(Array("float"))),
    ],
)
def test_without_a_type_the_outputs_of_the_signature_decide(outputs: Any, kind: ResultType) -> None:
    signature = ModelSignature(outputs=Schema(outputs)) if outputs else None

    assert choose(None, signature) == kind
