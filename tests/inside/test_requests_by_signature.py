"""The signature also holds for chats, rows of `inputs`, and missing values."""

from __future__ import annotations

import json
import sys
import time
import types
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from envkit.inside.author.base_classes import PythonModelContext, with_typed_input
from envkit.inside.data.enforcement.inputs import enforce
from envkit.inside.data.requests import json_request
from envkit.inside.data.requests.model_input import ModelInput
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.inside.loaders.pyfunc.chat_model import ChatModel
from envkit.inside.loaders.pyfunc.python_model import PythonModel
from envkit.inside.loaders.xgboost import matrix_of

MESSAGE = {
    "type": "object",
    "properties": {"role": {"type": "string"}, "content": {"type": "string"}},
}
CHAT = [
    {"name": "messages", "type": "array", "items": MESSAGE, "required": True},
    {"name": "temperature", "type": "double", "required": False},
]
HI = {"role": "user", "content": "hi"}


def parse(inputs: Any, request: dict[str, Any], *, raw: bool = False) -> ModelInput:
    read_raw = (lambda value: value) if raw else None
    content = json.dumps(request).encode()
    return json_request.parse(content, Signature({"inputs": inputs}), raw=read_raw)


def test_a_chat_request_gets_the_form_of_the_signature() -> None:
    model_input = parse(CHAT, {"messages": [HI], "temperature": 2, "unknown": 1})

    assert model_input.is_chat
    assert model_input.data.to_dict(orient="records") == [{"messages": [HI], "temperature": 2.0}]


def test_a_model_of_raw_inputs_gets_a_chat_request_unchanged() -> None:
    request = {"messages": [HI], "temperature": 2, "unknown": 1}

    assert parse(CHAT, request, raw=True).data == request
    assert parse(CHAT, {"inputs": request}, raw=True).data == request


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    "request_",
    [
        {"messages": "hi"},
        {"messages": [{"role": "user"}]},
        {"messages": [{**HI, "role": 1}]},
        {"messages": [{**HI, "unknown": 1}]},
        {"messages": [HI], "temperature": "warm"},
        {"prompt": "hi"},
        {"input": ["hi"]},
    ],
    ids=str,
)
def test_a_chat_request_that_does_not_fit_the_signature_is_refused(
    request_: dict[str, Any], raw: bool
) -> None:
    with pytest.raises(InvalidInput):
        parse(CHAT, request_, raw=raw)


def test_a_chat_request_for_a_model_of_columns_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no `a`"):
        parse([{"name": "a", "type": "long"}], {"input": [1]})


def test_rows_of_inputs_may_contain_times() -> None:
    data = parse(
        [{"name": "d", "type": "datetime"}], {"inputs": [{"d": "2024-01-02T03:04:05"}]}
    ).data

    pd.testing.assert_frame_equal(
        data, pd.DataFrame({"d": pd.to_datetime(["2024-01-02T03:04:05"]).as_unit("ns")})
    )


def test_null_is_not_a_number_in_a_tensor() -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}
    data = parse([tensor], {"inputs": [[1, None]]}).data

    np.testing.assert_array_equal(data, np.array([[1, np.nan]], dtype="float32"))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("long", [None], [np.nan]),
        ("long", [3, None], [3.0, np.nan]),
        ("long", ["3", None], [3.0, np.nan]),
        ("boolean", [True, None], [True, None]),
        ("boolean", [1, None], [True, None]),
    ],
)
def test_a_column_with_gaps_has_the_type_that_pandas_gives_it(
    kind: str, values: Any, expected: Any
) -> None:
    request = {"dataframe_records": [{"o": value} for value in values]}
    data = parse([{"name": "o", "type": kind, "required": False}], request).data

    dtype = object if kind == "boolean" else "float64"
    pd.testing.assert_frame_equal(data, pd.DataFrame({"o": pd.Series(expected, dtype=dtype)}))


@pytest.mark.parametrize(
    ("kind", "value"), [("long", 2.5), ("long", "x"), ("boolean", "no"), ("long", str(2**60))]
)
def test_values_next_to_a_missing_one_must_fit_too(kind: str, value: Any) -> None:
    with pytest.raises(InvalidInput):
        parse(
            [{"name": "o", "type": kind, "required": False}],
            {"dataframe_records": [{"o": value}, {"o": None}]},
        )


def test_a_data_frame_that_fits_already_is_copied_for_the_model() -> None:
    frame = pd.DataFrame({"a": [1], "b": [0.5]})
    columns = Signature(
        {"inputs": [{"name": "a", "type": "long"}, {"name": "b", "type": "double"}]}
    )
    fitted = enforce(frame, columns)
    fitted.loc[0, "a"] = 2

    assert frame["a"].tolist() == [1]
    assert enforce(frame[["b", "a"]], columns).columns.tolist() == ["a", "b"]


class Talker:
    def predict(self, context: Any, messages: Any, params: Any) -> dict[str, Any]:
        return {"answer": messages[0].content}


def test_a_message_without_a_role_is_an_invalid_input() -> None:
    model = ChatModel(Talker(), PythonModelContext({}, None))

    assert model.predict({"messages": [HI]}) == {"answer": "hi"}
    with pytest.raises(InvalidInput, match="`role` of a ChatMessage is required"):
        model.predict({"messages": [{"content": "hi"}]})


class Row(pydantic.BaseModel):
    a: int


def doubled(rows: list[Row]) -> list[int]:
    return [2 * row.a for row in rows]


def test_data_that_type_hints_refuse_are_an_invalid_input() -> None:
    model = PythonModel(with_typed_input(doubled), PythonModelContext({}, None))

    assert model.predict([{"a": 2}]) == [4]
    with pytest.raises(InvalidInput, match="valid integer"):
        model.predict([{"a": "x"}])


@pytest.mark.parametrize("value", [1, 1.5, 2**60])
def test_a_wide_row_of_doubles_is_quick(value: float) -> None:
    names = [f"c{number}" for number in range(2000)]
    signature = Signature({"inputs": [{"name": name, "type": "double"} for name in names]})
    content = json.dumps({"dataframe_split": {"columns": names, "data": [[value] * 2000]}}).encode()
    started = time.process_time()
    data = json_request.parse(content, signature, raw=None).data

    assert time.process_time() - started < 0.25  # column by column it takes 0.4 to 0.8
    assert set(data.dtypes) == {np.dtype("float64")}
    assert data.loc[0].tolist() == [float(value)] * 2000


@pytest.mark.parametrize("kind", ["category", "object"])
def test_a_booster_of_xgboost_is_allowed_categories(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    library = types.SimpleNamespace(DMatrix=lambda data, **options: made.append(options))
    monkeypatch.setitem(sys.modules, "xgboost", library)
    matrix_of(pd.DataFrame({"a": pd.Series(["x"], dtype=kind)}))

    assert made == [{"enable_categorical": True} if kind == "category" else {}]
