from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from envkit.errors import InvalidArgument
from envkit.models import ColSpec, DataType, ModelSignature, Schema, TensorSpec
from envkit.spark.inputs import Inputs

NAMED = Inputs.of(
    ModelSignature(
        inputs=Schema(
            [ColSpec(DataType.double, "x"), ColSpec(DataType.string, "y", required=False)]
        )
    )
)


def _asked(inputs: Inputs, *columns: Any) -> Any:
    return json.loads(inputs.request(columns))


def test_columns_get_the_names_of_the_signature_or_numbers() -> None:
    given = (pd.Series([1.0, float("nan")]), pd.Series(["a", None]))

    assert _asked(NAMED, *given) == {
        "dataframe_split": {"columns": ["x", "y"], "data": [[1.0, "a"], [None, None]]}
    }
    assert _asked(Inputs(), *given)["dataframe_split"]["columns"] == ["0", "1"]
    assert _asked(NAMED, given[0])["dataframe_split"]["columns"] == ["x"]


def test_a_struct_brings_its_own_names() -> None:
    struct = pd.DataFrame({"y": ["a"], "x": [1.5], "when": [pd.Timestamp("2026-01-02")]})

    assert _asked(NAMED, struct) == {
        "dataframe_split": {
            "columns": ["y", "x", "when"],
            "data": [["a", 1.5, "2026-01-02T00:00:00"]],
        }
    }


def test_too_many_columns_are_told() -> None:
    with pytest.raises(ValueError, match="takes 2 columns, not 3"):
        NAMED.request([pd.Series([1])] * 3)


def test_without_columns_those_that_are_required_are_meant() -> None:
    assert NAMED.defaults() == ("x",)
    with pytest.raises(InvalidArgument, match="names no columns"):
        Inputs().defaults()


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

    assert _asked(named, column) == {"inputs": {"t": [shaped]}}
    assert _asked(bare, column) == {"inputs": [shaped]}


@pytest.mark.parametrize("shape", [(-1, 3), (-1, 3, 2)])
def test_an_array_of_another_size_is_told(shape: tuple[int, ...]) -> None:
    inputs = Inputs.of(ModelSignature(inputs=Schema([TensorSpec("float64", shape)])))

    with pytest.raises(ValueError, match="no tensor of shape"):
        inputs.request([pd.Series([[1.0, 2.0, 3.0, 4.0]])])


def test_a_model_with_type_hints_gets_its_values_as_they_are() -> None:
    assert _asked(Inputs(raw=True), pd.Series(["a", "b"])) == {"inputs": ["a", "b"]}
    assert _asked(Inputs(raw=True), pd.DataFrame({"a": [1], "b": [2]})) == {
        "inputs": [{"a": 1, "b": 2}]
    }
