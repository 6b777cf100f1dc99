"""Requests to a model, made of Spark's columns."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from envkit.errors import InvalidArgument
from envkit.models import ColSpec, DataType, ModelSignature, Object, Property, Schema, TensorSpec
from envkit.spark.inputs import Inputs

NAMED = Inputs.of(
    ModelSignature(
        inputs=Schema(
            [ColSpec(DataType.double, "x"), ColSpec(DataType.string, "y", required=False)]
        )
    )
)


def request(inputs: Inputs, *columns: Any) -> Any:
    return json.loads(inputs.request(columns))


def test_columns_get_the_names_of_the_signature_or_numbers() -> None:
    columns = (pd.Series([1.0, float("nan")]), pd.Series(["a", None]))

    assert request(NAMED, *columns) == {
        "dataframe_split": {"columns": ["x", "y"], "data": [[1.0, "a"], [None, None]]}
    }
    assert request(Inputs(), *columns)["dataframe_split"]["columns"] == ["0", "1"]
    assert request(NAMED, columns[0])["dataframe_split"]["columns"] == ["x"]


def test_a_struct_brings_its_own_names() -> None:
    struct = pd.DataFrame({"y": ["a"], "x": [1.5], "when": [pd.Timestamp("2026-01-02")]})

    assert request(NAMED, struct) == {
        "dataframe_split": {
            "columns": ["y", "x", "when"],
            "data": [["a", 1.5, "2026-01-02T00:00:00"]],
        }
    }


def test_too_many_columns_are_reported() -> None:
    with pytest.raises(ValueError, match="takes 2 columns, not 3"):
        NAMED.request([pd.Series([1])] * 3)


def test_without_columns_the_required_ones_are_used() -> None:
    assert NAMED.default_columns() == ("x",)
    with pytest.raises(InvalidArgument, match="has no column names"):
        Inputs().default_columns()


@pytest.mark.parametrize(
    ("shape", "flat", "shaped"),
    [
        ((-1, 4), [1, 2, 3, 4], [1, 2, 3, 4]),
        ((-1, 2, 2), [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ((-1, -1, 2), [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ((-1, 1, 2, 2), [1, 2, 3, 4], [[[1, 2], [3, 4]]]),
    ],
)
def test_arrays_get_the_shape_of_the_tensor(
    shape: tuple[int, ...], flat: list[int], shaped: Any
) -> None:
    named = Inputs.of(ModelSignature(inputs=Schema([TensorSpec("float64", shape, "t")])))
    bare = Inputs.of(ModelSignature(inputs=Schema([TensorSpec("float64", shape)])))
    column = pd.Series([np.array(flat)])

    assert request(named, column) == {"inputs": {"t": [shaped]}}
    assert request(bare, column) == {"inputs": [shaped]}


@pytest.mark.parametrize("shape", [(-1, 3), (-1, 3, 2), (-1, 5, 2)])
def test_an_array_of_another_size_is_reported(shape: tuple[int, ...]) -> None:
    inputs = Inputs.of(ModelSignature(inputs=Schema([TensorSpec("float64", shape)])))

    with pytest.raises(ValueError, match="cannot have the shape"):
        inputs.request([pd.Series([[1.0, 2.0, 3.0, 4.0]])])


def test_a_model_with_type_hints_gets_the_values_unchanged() -> None:
    assert request(Inputs(raw=True), pd.Series(["a", "b"])) == {"inputs": ["a", "b"]}
    assert request(Inputs(raw=True), pd.DataFrame({"a": [1], "b": [2]})) == {
        "inputs": [{"a": 1, "b": 2}]
    }


def test_a_struct_of_one_field_is_a_row_for_a_type_hint_of_objects() -> None:
    hinted = ModelSignature(Schema([ColSpec(Object([Property("a", "long")]))]))
    inputs = Inputs.of(hinted, raw=True)

    assert request(inputs, pd.DataFrame({"a": [1]})) == {"inputs": [{"a": 1}]}
    assert request(inputs, pd.Series([{"a": 1}])) == {"inputs": [{"a": 1}]}
    numbers = Inputs.of(ModelSignature(Schema([ColSpec("long")])), raw=True)
    assert request(numbers, pd.DataFrame({"a": [1]})) == {"inputs": [1]}


def test_required_columns_must_be_passed_unless_a_struct_may_have_them() -> None:
    strings = pd.Series(["a"])
    both = Inputs(names=("x", "y", "z"), required=("x", "z"))

    with pytest.raises(ValueError, match="requires the columns x, z; z is missing"):
        both.request([strings, strings])
    assert request(both, strings)["dataframe_split"]["columns"] == ["x"]


def test_params_are_part_of_the_request() -> None:
    body = json.loads(NAMED.request([pd.Series([1.0])], {"factor": 3}))

    assert body["params"] == {"factor": 3}
