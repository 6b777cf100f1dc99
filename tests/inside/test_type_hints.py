"""Type hints of `predict`: which define the input, and what they make of data."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from envkit.inside.author import type_hints
from envkit.inside.author.type_hints import HintMismatch, InvalidTypeHint, UnsupportedTypeHint
from envkit.pyfunc import PythonModel

FRAME = pd.DataFrame({"a": [1, 2]})
TWO = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
NOON = datetime.datetime(2024, 5, 1, 12)


class Row(pydantic.BaseModel):
    a: int
    b: str = "z"
    at: datetime.datetime | None = None


@dataclasses.dataclass
class Point:
    a: int
    b: str = "z"


@pytest.mark.parametrize(
    ("hint", "data", "expected"),
    [
        (list[int], FRAME, [1, 2]),
        (list[int], [1, True], [1, True]),
        (list[str], TWO, ["x", "y"]),  # the first column of texts
        (list[float], pd.DataFrame({"a": [1.5, None]}), [1.5, np.nan]),
        (list[dict[str, Any]], TWO, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        (list[dict[str, int]], FRAME, [{"a": 1}, {"a": 2}]),
        (list[dict[str, int]], pd.DataFrame({0: [{"a": 1}]}), [{"a": 1}]),
        (list[dict[str, int]], pd.DataFrame({"rows": [{"a": 1}]}), [{"a": 1}]),
        (list[Row], TWO, [Row(a=1, b="x"), Row(a=2, b="y")]),
        (list[Row], [{"a": 1}, Row(a=2)], [Row(a=1), Row(a=2)]),
        (list[Point], TWO, [Point(1, "x"), Point(2, "y")]),
        (list[list[int]], pd.DataFrame({"a": [np.array([1, 2])]}), [[1, 2]]),
        (list[Any], ["a", None, {"b": 1}], ["a", None, {"b": 1}]),
        (list[int | str], ["a", 1], ["a", 1]),
        (list[dict[str, int | None]], [{"a": None}], [{"a": None}]),
        (list[datetime.datetime], [NOON], [NOON]),
    ],
    ids=str,
)
def test_data_get_the_type_of_the_hint(hint: Any, data: Any, expected: Any) -> None:
    given = type_hints.conform(data, hint)

    assert str(given) == str(expected)
    assert list(map(type, given)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("hint", "data", "problem"),
    [
        (list[int], ["x", None, {"b": 1}], "'x', 'Expected type int, but got str'"),
        (list[int], "abc", "Expected list, but got str"),
        (list[int], {"a": [1]}, "Expected list, but got dict"),
        (list[int], pd.DataFrame({"a": [1.5]}), "Expected type int, but got float"),
        (list[float], [1], "Expected type float, but got int"),
        (list[str], FRAME, "at least one string column"),
        (list[str], [None], "Expected type str, but got NoneType"),
        (list[bytes], ["YQ=="], "Expected type bytes, but got str"),
        (list[dict[str, int]], [{1: 1}], "Key must be a string, got int"),
        (list[dict[str, int]], [{"a": "b"}], "Expected type int, but got str"),
        (list[list[int]], [[1], ["x"]], "Expected type int, but got str"),
        (list[Row], [{"a": "1"}], "valid integer"),
        (list[Row], ["a"], "Expecting example to be a dictionary or pydantic model"),
        (list[Point], [{"a": 1, "c": 2}], "Point has no field `c`"),
        (list[Point], [{"b": "x"}], "required positional argument: 'a'"),
    ],
    ids=str,
)
def test_data_of_another_type_are_refused(hint: Any, data: Any, problem: str) -> None:
    with pytest.raises(HintMismatch, match=problem):
        type_hints.conform(data, hint)


@pytest.mark.parametrize(
    ("hint", "data", "expected"),
    [
        (list[bytes], ["YQ=="], [b"a"]),
        (list[datetime.datetime], ["2024-05-01T12:00:00"], [NOON]),
        (list[dict[str, datetime.datetime]], [{"at": NOON.isoformat()}], [{"at": NOON}]),
        (list[Row], [{"a": 1, "at": NOON.isoformat()}], [Row(a=1, at=NOON)]),
    ],
    ids=str,
)
def test_texts_of_a_request_become_bytes_and_times(hint: Any, data: Any, expected: Any) -> None:
    assert type_hints.conform(data, hint, from_text=True) == expected


def test_invalid_base64_of_a_request_is_refused() -> None:
    with pytest.raises(HintMismatch, match=r"'a\.' is not a bytes"):
        type_hints.conform(["a."], list[bytes], from_text=True)


@pytest.mark.parametrize(
    "hint",
    [
        str,
        dict,
        dict[str, int],
        str | None,
        int | str,
        tuple[int],
        Any,
        Row,
        list[object],
        list[set[int]],
        list[str] | None,
        list[np.ndarray],
    ],
    ids=str,
)
def test_other_hints_do_not_define_the_input(hint: Any) -> None:
    with pytest.raises(UnsupportedTypeHint):
        type_hints.check(hint)
    assert not type_hints.defines_input(hint)


class WithoutDefault(pydantic.BaseModel):
    a: int | None


@pytest.mark.parametrize(
    "hint",
    [list, list[list], list[dict], list[dict[int, str]], list[str | None], list[WithoutDefault]],  # type: ignore[type-arg]
    ids=str,
)
def test_hints_that_lack_a_part_are_errors(hint: Any) -> None:
    with pytest.raises(InvalidTypeHint):
        type_hints.check(hint)


def test_a_method_is_checked_also_when_it_is_called_directly() -> None:
    class Model(PythonModel):
        def predict(self, context: Any, rows: list[Row], params: Any = None) -> list[int]:
            return [row.a for row in rows]

    model: Any = Model()

    assert model.predict(None, FRAME) == [1, 2]
    assert model.predict(context=None, rows=[{"a": 3}]) == [3]
    with pytest.raises(ValueError, match="valid integer"):
        model.predict(None, [{"a": "x"}])


def define(hint: Any) -> Callable[[], Any]:
    def predict(self: Any, model_input: Any) -> Any:
        return model_input

    predict.__annotations__["model_input"] = hint
    return lambda: type("Model", (PythonModel,), {"predict": predict})


def test_a_hint_that_is_not_a_list_is_a_warning_where_the_class_is_defined() -> None:
    with pytest.warns(UserWarning, match=r"not supported .* wrapped in list\[\.\.\.\]"):
        define(dict[str, int])()
    with pytest.raises(ValueError, match="To disable data validation, remove the type hint"):
        define(list)()
    define(pd.DataFrame)()
