"""Predictions become columns of Spark types."""

from __future__ import annotations

from typing import Any

import pytest

from envkit.errors import PredictionFailed
from envkit.spark.conversion import columns_of, convert
from envkit.spark.result_types import Array, choose

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
def test_a_type_takes_the_leftmost_column_that_fits_and_an_array_all_of_them(
    text: str, values: Any
) -> None:
    assert convert(TABLE, choose(text, None)) == values


def test_arrays_in_a_single_column_stay_arrays() -> None:
    assert convert({0: [[1, 2], [3]]}, Array("double")) == [[1.0, 2.0], [3.0]]
    assert convert({0: [[[1.5]], None]}, Array(Array("double"))) == [[[1.5]], None]


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
def test_predictions_that_do_not_fit_are_described(columns: Any, text: str) -> None:
    with pytest.raises(ValueError, match="prediction"):
        convert(columns, choose(text, None))


@pytest.mark.parametrize(
    ("predictions", "columns"),
    [
        ([1, 2], {0: [1, 2]}),
        ([[1, 2], [3, 4]], {0: [1, 3], 1: [2, 4]}),
        ([[1], [2, 3]], {0: [[1], [2, 3]]}),
        ([[[1]], [[2]]], {0: [[[1]], [[2]]]}),
        ([{"a": 1, "b": 2}, {"a": 3}], {"a": [1, 3], "b": [2, None]}),
        ({"a": [1, 2]}, {"a": [1, 2]}),
    ],
)
def test_predictions_are_read_by_column(predictions: Any, columns: Any) -> None:
    assert columns_of(predictions, 2) == columns


@pytest.mark.parametrize(
    ("predictions", "returned"),
    [(1, "one value"), ([1], "1 values"), ({"a": [1, 2, 3]}, "3 values"), ("ab", "one value")],
)
def test_there_must_be_one_prediction_for_each_row(predictions: Any, returned: str) -> None:
    with pytest.raises(PredictionFailed, match=f"returned {returned} for 2 rows"):
        columns_of(predictions, 2)
