"""What a model predicts on, and its answer as JSON, where no library is installed."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.builders.inside_bench import Bench


def test_inputs_reach_the_model_and_the_answer_the_file(bench: Bench, any_python: str) -> None:
    bench.loader()

    report = bench.predict(any_python, {"inputs": {"a": [1, 2.5], "b": "text"}})

    assert bench.predictions == {"a": [1, 2.5], "b": "text"}
    assert report.last == "done"
    assert [path.name for path in bench.folder.glob("answer*")] == ["answer.json"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "it is not valid JSON"),
        ("not json", "it is not valid JSON"),
        ("[" * 100_000, "it is nested too deeply"),
        ("1" * 5_000, "it must be a JSON object"),
        (
            "null",
            "with exactly one of `dataframe_split`, `dataframe_records`, `instances`, "
            "`inputs`, not null",
        ),
        ("[1]", "not a list"),
        ("true", "not true or false"),
        ('"s"', "not a string"),
        ("{}", "it has nothing"),
        ({"a": [1]}, "it has `a`"),
        ({"columns": ["a"], "data": [[1]]}, "it has `columns`, `data`"),
        ({"params": {"t": 1}}, "it has `params`"),
        ({"instances": [1], "inputs": [1]}, "it has `instances`, `inputs`"),
        ({"inputs": [1], "parms": {}}, "`parms` is unknown; besides one of"),
        ({"inputs": [1], "params": [1]}, "`params` must be an object"),
        ({"dataframe_split": [1]}, "`dataframe_split` must be an object with `data`"),
        ({"dataframe_split": {"columns": ["a"]}}, "`dataframe_split`: `data` is missing"),
        ({"dataframe_split": {"data": [], "junk": 1}}, "`dataframe_split`: `junk` is unknown"),
        ({"dataframe_records": {"a": 1}}, "`dataframe_records` must be a list"),
        ({"dataframe_records": [{"a": 1}]}, "`dataframe_records` needs pandas"),
        (
            {"instances": [{"a": 1}, 2]},
            "`instances[1]` must be an object like the first, not a number",
        ),
        ({"instances": [{"a": 1}, {"b": 1}]}, "`instances`: 1 of 2 have no `a`"),
    ],
)
def test_the_error_of_a_bad_request_says_what_is_wrong_with_it(
    bench: Bench, python: str, value: Any, message: str
) -> None:
    bench.loader()

    report = bench.predict(python, value)

    error = report.events[-1]
    assert (error["event"], error["phase"], error["kind"]) == ("error", "input", "input")
    if message not in error["message"]:
        assert value == "1" * 5_000  # the limit of digits is of some minor versions only
        assert "it is not valid JSON" in error["message"]
    assert error["traceback"].count("inside") == 0
    assert not bench.answer.exists()


def test_a_file_that_is_not_utf_8_is_an_error(bench: Bench, python: str) -> None:
    bench.loader()
    path = bench.folder / "latin"
    path.write_bytes('{"inputs": "é"}'.encode("latin-1"))

    source = {"path": str(path), "content_type": "json"}
    report = bench.run(python, job="predict", input=source, output=str(bench.answer))

    assert "it is not UTF-8 text" in report.events[-1]["message"]


def test_a_byte_order_mark_is_not_part_of_the_text(bench: Bench, python: str) -> None:
    bench.loader()

    bench.predict(python, "\ufeff" + '{"inputs": "é"}')

    assert bench.predictions == "é"


@pytest.mark.parametrize(
    "request_", [{"messages": [{"role": "user", "content": "hi"}]}, {"prompt": "hi", "top": 1}]
)
def test_a_chat_request_is_the_input_itself(
    bench: Bench, python: str, request_: dict[str, Any]
) -> None:
    bench.loader()

    bench.predict(python, request_)

    assert bench.predictions == request_


PARAMS = [
    {"name": "t", "type": "double", "default": 0.5, "shape": None},
    {"name": "stop", "type": "string", "default": ["x"], "shape": [-1]},
    {"name": "when", "type": "datetime", "default": None, "shape": None},
]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, {"t": 0.5, "stop": ["x"], "when": None}),
        ({}, {"t": 0.5, "stop": ["x"], "when": None}),
        ({"t": 1}, {"t": 1.0, "stop": ["x"], "when": None}),
        ({"stop": ["a", "b"]}, {"t": 0.5, "stop": ["a", "b"], "when": None}),
        ({"when": "2024-01-02"}, {"t": 0.5, "stop": ["x"], "when": "2024-01-02"}),
        (
            {"when": "2024-01-02T03:00:00Z"},
            {"t": 0.5, "stop": ["x"], "when": "2024-01-02T03:00:00"},
        ),
        ({"unknown": 1}, {"t": 0.5, "stop": ["x"], "when": None}),
    ],
)
def test_params_have_the_signatures_types_and_defaults(
    bench: Bench, python: str, params: Any, expected: dict[str, Any]
) -> None:
    bench.loader(predict="return params")
    signature = {"inputs": None, "outputs": None, "params": json.dumps(PARAMS)}

    report = bench.predict(python, {"inputs": [1], "params": params}, signature=signature)

    assert report.last == "done", report.events[-1]
    assert bench.predictions == expected
    assert ("unknown" in report.printed) == ("unknown" in (params or {}))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"t": "q"}, "`params.t` must be of type double, not 'q'"),
        ({"t": True}, "`params.t` must be of type double, not True"),
        ({"t": [1]}, "`params.t` must be a single value of type double"),
        ({"stop": "a"}, "`params.stop` must be a list of values of type string"),
        ({"stop": [1]}, "`params.stop` must be of type string, not 1"),
        ({"when": "soon"}, "`params.when` must be of type datetime, not 'soon'"),
    ],
)
def test_params_of_another_type_are_refused(
    bench: Bench, python: str, params: Any, message: str
) -> None:
    bench.loader()

    error = bench.predict(
        python, {"inputs": [1], "params": params}, signature={"params": PARAMS}
    ).events[-1]

    assert (error["kind"], error["message"]) == ("input", message)


def test_params_of_the_caller_override_those_of_the_input(bench: Bench, python: str) -> None:
    bench.loader(predict="return params")

    bench.predict(
        python,
        {"inputs": [1], "params": {"t": 1, "stop": []}},
        params={"t": 2},
        signature={"params": PARAMS},
    )

    assert bench.predictions == {"t": 2.0, "stop": [], "when": None}


def test_a_saved_example_with_params_is_split(bench: Bench, python: str) -> None:
    bench.loader(predict="return [data, params]")
    example = bench.example({"inputs": {"a": 1}, "params": {"t": 3}}, params="true")

    report = bench.run(python, example=example, signature={"params": PARAMS})

    assert report.one("prediction")["output"] == [{"a": 1}, {"t": 3.0, "stop": ["x"], "when": None}]


def test_the_saved_request_stands_in_for_a_missing_example(bench: Bench, python: str) -> None:
    bench.loader()
    (bench.model / "serving_input_example.json").write_text('{"inputs": [7]}')
    example = {"type": "ndarray", "path": str(bench.model / "gone.json")}

    assert bench.run(python, example=example).one("prediction")["output"] == [7]


def test_a_missing_example_is_an_error_that_names_the_file(bench: Bench, python: str) -> None:
    bench.loader()

    error = bench.run(
        python, example={"type": "ndarray", "path": str(bench.model / "gone.json")}
    ).events[-1]

    assert (error["kind"], error["phase"]) == ("input", "input")
    assert "serving_input_example.json" in error["message"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("[1, 2.5, 'x', None, True]", [1, 2.5, "x", None, True]),
        ("float('nan')", None),
        ("(1, (2, 3))", [1, [2, 3]]),
        ("{1: 'a', None: 'b', True: 'c'}", {"1": "c", "null": "b"}),
        ("{2.5: {'x': float('nan')}}", {"2.5": {"x": None}}),
        ("[b'x', bytearray(b'y')]", ["eA==\n", "eQ==\n"]),
        ("__import__('datetime').datetime(2024, 1, 2, 3)", "2024-01-02T03:00:00"),
        ("__import__('datetime').date(2024, 1, 2)", "2024-01-02"),
        ("__import__('enum').IntEnum('E', 'A B').B", 2),
        ("type('S', (str,), {})('text')", "text"),
        ("10 ** 30", 10**30),
        ("'\\ud800'", "\ud800"),
    ],
)
def test_an_answer_becomes_json(bench: Bench, python: str, code: str, expected: Any) -> None:
    bench.loader(predict=f"return {code}")

    report = bench.predict(python, {"inputs": 1})

    assert report.last == "done", report.events[-1]
    assert bench.predictions == expected
    assert "NaN" not in bench.answer.read_text()
    assert bench.run(python).one("prediction")["output"] == expected


def test_an_infinity_is_recorded_as_that_and_null_in_the_answer(bench: Bench, python: str) -> None:
    bench.loader(predict="return [float('inf'), -float('inf'), float('nan')]")
    bench.predict(python, {"inputs": 1})

    assert bench.predictions == [None, None, None]
    assert bench.run(python).one("prediction")["output"] == ["Infinity", "-Infinity", None]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("{1, 2}", "builtins.set"),
        ("object()", "builtins.object"),
        ("iter([1])", "builtins.list_iterator"),
        ("complex(1, 2)", "builtins.complex"),
        ("{(1, 2): 3}", "the key (1, 2)"),
        ("(lambda a: a.append(a) or a)([])", "contains itself"),
    ],
)
def test_an_answer_of_another_type_than_jsons_is_an_error(
    bench: Bench, python: str, code: str, message: str
) -> None:
    bench.loader(predict=f"return {code}")

    report = bench.predict(python, {"inputs": 1})

    error = report.events[-1]
    assert (error["event"], error["phase"], error["kind"]) == ("error", "output", "output")
    assert message in error["message"]
    assert not bench.answer.exists()


def test_nan_and_infinity_in_a_request_are_read(bench: Bench, python: str) -> None:
    bench.loader(predict="import math\nreturn [math.isnan(data[0]), data[1] == math.inf]")

    bench.predict(python, {"inputs": [math.nan, math.inf]})

    assert bench.predictions == [True, True]
