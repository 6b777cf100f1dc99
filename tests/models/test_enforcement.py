"""Inputs and parameters are enforced as by MLflow, or better, and why."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest

from envkit.errors import InputMismatch, InvalidInput
from envkit.models import (
    Array,
    ColSpec,
    Map,
    ModelSignature,
    ParamSchema,
    ParamSpec,
    Schema,
    TensorSpec,
    enforce,
    enforce_params,
    infer_signature,
    validate_schema,
)
from tests.cases import cases

ONES = np.ones((2, 3))
AB = {"a": [1, 2], "b": [0.5, 1.5]}
INPUTS: dict[str, Any] = {
    "frame a:int64 b:float64": pd.DataFrame(AB),
    "frame with the columns in another order": pd.DataFrame(AB)[["b", "a"]],
    "frame without b": pd.DataFrame({"a": [1]}),
    "frame with an extra column x": pd.DataFrame({**AB, "x": [1, 2]}),
    "frame without b, b optional": pd.DataFrame({"a": [1, 2]}),
    "frame with b all None, b optional": pd.DataFrame({"a": [1], "b": [None]}),
    "frame with b all None, b required": pd.DataFrame({"a": [1], "b": [None]}),
    "frame with NaN in a long column": pd.DataFrame({"a": [1, np.nan]}),
    "frame with int in a double column": pd.DataFrame({"b": [2, 3]}),
    "frame with float in a long column": pd.DataFrame({"a": [1.5]}),
    "frame with whole floats in a long column": pd.DataFrame({"a": [1.0, 2.0]}),
    "frame with int64 in an integer column": pd.DataFrame({"i": [1, 2]}),
    "frame with str in a long column": pd.DataFrame({"a": ["x"]}),
    "frame with int in a string column": pd.DataFrame({"c": [1]}),
    "frame with int in a boolean column": pd.DataFrame({"z": [1, 0]}),
    "dict of lists": AB,
    "dict of scalars": {"a": 1, "b": 0.5},
    "list of dicts": [{"a": 1, "b": 0.5}],
    "list of rows, unnamed schema": [[1, 0.5]],
    "list of scalars, unnamed schema": [1, 2],
    "ndarray 2x2 float, unnamed schema": np.array([[1.0, 2.0]]),
    "ndarray with too few columns": np.array([[1.0]]),
    "ndarray with too many columns": np.array([[1.0, 2.0, 3.0]]),
    "str for one unnamed string column": "hello",
    "list of str for one unnamed string column": ["x", "y"],
    "Series named a": pd.Series([1, 2], name="a"),
    "None": None,
    "bytes for one unnamed binary column": b"x",
    "frame with a non-default index 5,6": pd.DataFrame(AB, index=[5, 6]),
    "float64 array 2x3 for (-1,3)": ONES,
    "float64 array 2x4 for (-1,3)": np.ones((2, 4)),
    "float32 array for float64": ONES.astype("float32"),
    "int array for float64": ONES.astype("int64"),
    "list for a tensor": ONES.tolist(),
    "frame for an unnamed tensor": pd.DataFrame(ONES),
    "dict for named tensors": {"x": ONES, "y": np.ones(2)},
    "dict with one named tensor missing": {"x": ONES},
    "rank differs": np.ones(3),
    "frame of lists for named tensor": pd.DataFrame({"x": [[1.0, 2.0], [3.0, 4.0]]}),
    "array of long in a column": pd.DataFrame({"q": [[1, 2]]}),
    "array with a str item": pd.DataFrame({"q": [[1, "x"]]}),
    "array given a scalar": pd.DataFrame({"q": [1]}),
    "empty array": pd.DataFrame({"q": [[]]}),
    "array with None item": pd.DataFrame({"q": [[1, None]]}),
    "array from ndarray": pd.DataFrame({"q": [np.array([1, 2])]}),
    "array of int for array of double": pd.DataFrame({"q": [[2, 3]]}),
    "object ok": pd.DataFrame({"o": [{"k": "a", "v": 1.0}]}),
    "object without the optional key": pd.DataFrame({"o": [{"k": "a"}]}),
    "object without the required key": pd.DataFrame({"o": [{"v": 1.0}]}),
    "object with an unknown key": pd.DataFrame({"o": [{"k": "a", "w": 1}]}),
    "object with a wrong value type": pd.DataFrame({"o": [{"k": 5}]}),
    "map ok": {"m": {"p": 1}},
    "map with a wrong value": {"m": {"p": "x"}},
    "map with a non-string key": {"m": {1: 1}},
    "any type": pd.DataFrame({"y": [1, "a", None]}, dtype=object),
    "nested array": pd.DataFrame({"q": [[[1], [2, 3]]]}),
    "nested array of wrong depth": pd.DataFrame({"q": [[1]]}),
}
BETTER = {
    # MLflow makes columns of the map's keys, and then reports the map as missing
    "enforce.input-052": {"ok": {"frame": {"m": {"dtype": "object", "values": [{"p": 1}]}}}},
}


def plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        columns = {}
        for name, column in value.items():
            values = [plain(cell) for cell in column]
            columns[str(name)] = {"dtype": str(column.dtype), "values": values}
        return {"frame": columns}
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.tolist()}
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, bytes):
        return f"bytes:{value.decode()}"
    if isinstance(value, float) and value != value:
        return "NaN"
    return value.item() if isinstance(value, np.generic) else value


def schema_of(specs: list[dict[str, Any]]) -> Schema:
    import json

    return Schema.from_json(json.dumps(specs))


@pytest.mark.parametrize(
    "case", cases("enforcement")["enforce.input"], ids=lambda case: str(case["given"]["input"])
)
def test_an_input_is_accepted_or_refused_as_by_mlflow(case: dict[str, Any]) -> None:
    newest = int(pd.__version__.partition(".")[0]) >= 3
    expected = case.get("expect_pandas3", case["expect"]) if newest else case["expect"]
    expected = BETTER.get(case["id"], expected)
    schema = schema_of(case["given"]["schema"])

    if "error" in expected:
        with pytest.raises(InputMismatch):
            enforce(INPUTS[case["given"]["input"]], schema)
    else:
        assert plain(enforce(INPUTS[case["given"]["input"]], schema)) == expected["ok"]


PARAMS = ParamSchema(
    [
        ParamSpec("t", "double", 0.5),
        ParamSpec("n", "integer", 3),
        ParamSpec("s", "string", "x"),
        ParamSpec("stop", "string", ["a"], (-1,)),
        ParamSpec("opt", "string", None),
    ]
)


@pytest.mark.parametrize(
    "case", cases("enforcement")["enforce.params"], ids=lambda case: str(case["given"]["params"])
)
def test_params_are_accepted_or_refused_as_by_mlflow(case: dict[str, Any]) -> None:
    params = case["given"]["params"]
    if case["id"] == "enforce.params-021":
        params = {"stop": ("p",)}
    if case["id"] == "enforce.params-022":
        params = {"stop": np.array(["p"])}
    signature = ModelSignature(params=PARAMS) if case["given"]["schema"] else None

    if "error" in case["expect"]:
        with pytest.raises(InputMismatch):
            enforce_params(params, signature)
    else:
        assert enforce_params(params, signature) == case["expect"]["ok"]


def test_a_mismatch_is_an_invalid_input_and_a_value_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_schema({"a": [2.5]}, Schema([ColSpec("long", "a")]))

    assert isinstance(caught.value, ValueError)
    assert (
        str(caught.value)
        == "the input `a` has the type float64, which cannot be safely converted to long"
    )


def test_the_data_passed_in_do_not_change() -> None:
    frame = pd.DataFrame({"b": np.array([1], dtype="int32"), "o": [{"k": np.float32(1)}], "x": [0]})
    signature = infer_signature(pd.DataFrame({"b": [0.5], "o": [{"k": 1.5}]}))

    enforced = enforce(frame, signature)

    assert frame["b"].dtype == "int32"
    assert type(frame["o"][0]["k"]) is np.float32
    assert (list(enforced.columns), enforced["b"].dtype, enforced["o"][0]) == (
        ["b", "o"],
        "float64",
        {"k": 1.0},
    )


def test_unknown_columns_and_params_are_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    signature = ModelSignature(Schema([ColSpec("long", "a")]), params=PARAMS)

    with caplog.at_level(logging.WARNING, "envkit"):
        enforced = enforce(pd.DataFrame({"secret": ["s3cr3t"], "a": [1]}), signature)
        enforce_params({"temprature": 1}, signature)

    assert list(enforced.columns) == ["a"]
    assert "secret" in caplog.text
    assert "temprature" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Array("double"), [1.5, None], [1.5, None]),
        (Array("datetime"), [datetime.datetime(2024, 1, 2)], [pd.Timestamp(2024, 1, 2)]),
        (Array("binary"), [b"x"], [b"x"]),
        (Array(Array("string")), [["a"], []], [["a"], []]),
        (Map(Array("long")), {"p": [1]}, {"p": [1]}),
    ],
)
def test_nested_values_get_the_types_of_the_signature(kind: Any, value: Any, expected: Any) -> None:
    schema = Schema([ColSpec(kind, "c", required=False)])

    assert enforce([{"c": value}, {"c": None}], schema)["c"].tolist() == [expected, None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Array("long"), [[1]]),
        (Array("long"), "12"),
        (Array("string"), ["a", 1]),
        (Map("long"), [1]),
        (Array("long"), np.ones((2, 2), dtype="int64")),
    ],
)
def test_nested_values_of_another_form_are_refused(kind: Any, value: Any) -> None:
    with pytest.raises(InputMismatch, match="`c`"):
        enforce(pd.DataFrame({"c": [value]}), Schema([ColSpec(kind, "c")]))


def test_sparse_matrices_are_tensors() -> None:
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix(ONES)
    schema = Schema([TensorSpec("float64", (-1, 3))])

    assert enforce(matrix, schema) is matrix
    with pytest.raises(InputMismatch, match="shape"):
        enforce(matrix.T, schema)


def test_columns_of_the_same_name_are_refused() -> None:
    with pytest.raises(InputMismatch, match="several columns named `a`"):
        enforce(pd.DataFrame([[1, 2]], columns=["a", "a"]), Schema([ColSpec("long", "a")]))
