from __future__ import annotations

from typing import Any

import pytest

from envkit.errors import InvalidArgument
from envkit.models import ColSpec, DataType, ModelSignature, Schema, TensorSpec
from envkit.spark.result_types import Array, Kind, Struct, chosen, converted, ddl


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
def test_types_are_read_as_spark_writes_them(text: str, kind: Kind) -> None:
    assert chosen(text, None) == kind
    assert chosen(ddl(kind), None) == kind


@pytest.mark.parametrize(
    "text",
    ["", "date", "map<string,int>", "array<map<string,int>>", "a", "a struct<b:int>", "array<"],
)
def test_types_that_predictions_cannot_become_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="none that predictions can become"):
        chosen(text, None)


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
def test_without_a_type_the_signature_decides(outputs: Any, kind: Kind) -> None:
    signature = ModelSignature(outputs=Schema(outputs)) if outputs else None

    assert chosen(None, signature) == kind


TABLE: dict[str, list[Any]] = {
    "n": ["a", None],
    "i": [1, 2],
    "big": [2**40, 1],
    "f": [0.5, None],
    "b": [True, False],
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("int", [1, 2]),
        ("long", [1, 2]),
        ("float", [1.0, 2.0]),
        ("double", [1.0, 2.0]),
        ("string", ["a", None]),
        ("boolean", [True, False]),
        ("array<int>", [[1], [2]]),
        ("array<long>", [[1, 2**40], [2, 1]]),
        ("array<double>", [[1.0, 2.0**40, 0.5], [2.0, 1.0, None]]),
        ("array<boolean>", [[True], [False]]),
        ("f double, n string", {"f": [0.5, None], "n": ["a", None]}),
    ],
)
def test_the_leftmost_that_fits_is_taken_an_array_takes_all(text: str, values: Any) -> None:
    assert converted(TABLE, chosen(text, None)) == values


def test_arrays_in_one_column_stay_arrays() -> None:
    assert converted({0: [[1, 2], [3]]}, Array("double")) == [[1.0, 2.0], [3.0]]
    assert converted({0: [[[1.5]], None]}, Array(Array("double"))) == [[[1.5]], None]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"a": ["x"]}, "double"),
        ({"a": [1.5]}, "int"),
        ({"a": [2**40]}, "int"),
        ({"a": [True]}, "double"),
        ({"a": [1]}, "boolean"),
        ({"a": ["x"]}, "array<double>"),
        ({"a": [["x"]]}, "array<double>"),
        ({"a": [1]}, "array<array<double>>"),
        ({"a": [1]}, "b double"),
        ({}, "double"),
    ],
)
def test_an_answer_that_does_not_fit_is_told_with_what_it_has(columns: Any, text: str) -> None:
    with pytest.raises(ValueError, match="prediction"):
        converted(columns, chosen(text, None))
