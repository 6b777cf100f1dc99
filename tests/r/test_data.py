"""What an R model gets for a request, and its answer as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envkit.inside import loading
from envkit.inside.data import json_encoding
from envkit.inside.data.requests import r_request, scoring_request
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.inside.loaders.crate import RError
from envkit.models.directory import ModelDirectory

Ask = Callable[..., Any]


@contextmanager
def asking(folder: Path) -> Iterator[Ask]:
    """Load a model once, and give what asks it."""
    request = ModelDirectory.open(folder).request()
    model = loading.load_here(request)

    def ask(content: Any, kind: str = "json", **signature: Any) -> Any:
        text = content if isinstance(content, str) else json.dumps(content)
        model_input = scoring_request.parse(
            text.encode(), kind, Signature(signature), raw=None, reader=model.reader
        )
        return json_encoding.encode(model.predict(model_input.data, model_input.params))

    with closing(model.implementation):
        yield ask


@pytest.fixture(scope="module")
def echo(crates: Path) -> Iterator[Ask]:
    with asking(crates / "echo") as ask:
        yield ask


@pytest.fixture(scope="module")
def whims(crates: Path) -> Iterator[Ask]:
    with asking(crates / "whims") as ask:
        yield ask


@pytest.mark.parametrize(
    ("request_", "types", "data"),
    [
        (
            {
                "dataframe_split": {
                    "columns": ["a", "b c"],
                    "index": [7, 8],
                    "data": [[1, "é"], [2.5, None]],
                }
            },
            ["double", "character"],
            [{"a": 1, "b c": "é"}, {"a": 2.5, "b c": None}],
        ),
        ({"dataframe_split": {"columns": ["a"], "data": []}}, ["logical"], []),
        ({"dataframe_split": {"data": [[True, 2]]}}, ["logical", "integer"], [{"0": True, "1": 2}]),
        (
            {"dataframe_records": [{"a": 1}, {"a": 3_000_000_000, "b": "x"}]},
            ["double", "character"],
            [{"a": 1, "b": None}, {"a": 3_000_000_000, "b": "x"}],
        ),
        ({"dataframe_records": [{"a": [1, 2]}, {"a": [3]}]}, ["list"], [{"a": [1, 2]}, {"a": [3]}]),
        (
            {"inputs": {"a": [1, 2], "b": ["x", "y"]}},
            ["integer", "character"],
            [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        ),
        ({"inputs": {"a": 1}}, ["integer"], [{"a": 1}]),
        ({"instances": [{"a": 1}, {"a": 2}]}, ["integer"], [{"a": 1}, {"a": 2}]),
    ],
)
def test_tables_are_data_frames(echo: Ask, request_: Any, types: list[str], data: Any) -> None:
    assert echo(request_) == {
        "class": ["data.frame"],
        "types": _by_column(types, data, request_),
        "data": data,
    }


def _by_column(types: list[str], data: list[Any], request: Any) -> dict[str, list[str]]:
    names = list(data[0]) if data else request["dataframe_split"]["columns"]
    return {name: [kind] for name, kind in zip(names, types, strict=True)}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1, 2.5], "numeric"),
        (5, "integer"),
        ("x", "character"),
        ([[1, 2], [3, 4]], "matrix"),
        ({"a": [1, 2], "b": []}, "list"),
    ],
)
def test_other_values_are_vectors_matrices_and_lists(echo: Ask, value: Any, kind: str) -> None:
    answer = echo({"inputs": value})

    assert (answer["class"], answer["data"]) == (
        [kind],
        value if isinstance(value, (list, dict)) else [value],
    )


@given(data=st.data(), names=st.lists(st.text(max_size=3), unique=True, min_size=1, max_size=3))
def test_one_table_is_the_same_message_in_every_form(data: st.DataObject, names: list[str]) -> None:
    cells = (
        st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(allow_nan=False)
    )
    rows = data.draw(
        st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), min_size=1, max_size=4)
    )
    records = [dict(zip(names, row, strict=True)) for row in rows]
    forms: list[dict[str, Any]] = [
        {"dataframe_split": {"columns": names, "data": rows}},
        {"dataframe_records": records},
        {"inputs": {name: [record[name] for record in records] for name in names}},
    ]

    contents = [json.dumps(form).encode() for form in forms]
    questions = [
        r_request.message_of_request(content, "json", Signature(None))[0] for content in contents
    ]

    assert questions[0] == questions[1] == questions[2]
    assert (questions[0]["names"], questions[0]["rows"]) == (names, len(rows))
    json.dumps(questions[0], allow_nan=False)


def test_csv_is_read_as_r_reads_it(echo: Ask) -> None:
    answer = echo('a,b c,d\n1,"x,y",TRUE\nNA,é,FALSE\n', "csv")

    assert answer["data"] == [
        {"a": 1, "b.c": "x,y", "d": True},
        {"a": None, "b.c": "é", "d": False},
    ]


LONG = [
    {"name": "a", "type": "long", "required": True},
    {"name": "b", "type": "string", "required": False},
]


@pytest.mark.parametrize(
    ("content", "kind"),
    [({"inputs": {"z": [1], "b": [None], "a": [2.0]}}, "json"), ("z,b,a\n1,,2\n", "csv")],
)
def test_a_signature_chooses_and_checks_the_columns(
    echo: Ask, caplog: pytest.LogCaptureFixture, content: Any, kind: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = echo(content, kind, inputs=LONG)

    assert answer["data"] == [{"a": 2, "b": None}]
    assert "not in the model's signature: z" in caplog.text


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ({"inputs": {"a": [2.5]}}, "json", "`a`.*not 2.5"),
        ("a\n2.5\n", "csv", "`a`.*not 2.5"),
        ("a\nx\n", "csv", "`a`.*not 'x'"),
        ({"dataframe_records": [{"b": "x"}]}, "json", "has no `a`"),
        (
            {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
            "json",
            "2 values for 1 columns",
        ),
        (
            {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
            "json",
            "several columns named `a`",
        ),
        ({"dataframe_split": {"columns": ["a"], "data": 5}}, "json", "list of rows"),
        ({"dataframe_records": [1]}, "json", "list of objects"),
        ("a,b\n1\n", "csv", "row 1 has 1 values for 2 columns"),
        ("", "csv", "no header"),
        ("PAR1", "parquet", "JSON or CSV"),
        ("[", "json", "not valid JSON"),
        ({"messages": []}, "json", "exactly one of"),
    ],
)
def test_invalid_requests_and_those_that_do_not_fit_are_refused(
    echo: Ask, content: Any, kind: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        echo(content, kind, inputs=LONG)


def test_csv_that_r_cannot_read_is_an_invalid_input(echo: Ask) -> None:
    with pytest.raises(InvalidInput, match="more columns than column names"):
        echo("a\n1,2\n1,2,3\n", "csv")


def test_parameters_of_the_signature_are_named_arguments(crates: Path) -> None:
    params = [
        {"name": "t", "type": "double", "default": 0.5},
        {"name": "stop", "type": "string", "default": "x"},
    ]

    with asking(crates / "parameters") as ask:
        answer = ask({"inputs": [1], "params": {"t": 2, "other": 1}}, params=params)

    assert answer == {"given": [1], "named": {"t": [2], "stop": ["x"]}}


@pytest.mark.parametrize(
    ("whim", "answer"),
    [
        ("numbers", [0.1, 1e20, None, None, None]),
        ("texts", ["é", None]),
        ("table", [{"when": "2024-01-02", "kind": "a"}]),
        ("time", ["2024-01-02T03:04:05Z"]),
        ("matrix", [[1, 3], [2, 4]]),
        ("print", ["printed"]),
        ("else", None),
    ],
)
def test_vectors_in_answers_become_lists(whims: Ask, whim: str, answer: Any) -> None:
    assert whims({"inputs": [whim]}) == answer


def test_an_error_of_r_is_reported_as_r_prints_it_and_the_next_request_works(whims: Ask) -> None:
    with pytest.raises(RError, match=r"^a secret$") as raised:
        whims({"inputs": ["raise"]})
    with pytest.raises(RError, match=r"no package called .notthere"):
        whims({"inputs": ["missing"]})
    with pytest.raises(RError, match="no JSON form"):
        whims({"inputs": ["function"]})

    assert raised.value.traceback == "Error in model(data) : a secret\nCalls: model\n"
    assert whims({"inputs": ["texts"]}) == ["é", None]


def test_a_file_without_a_function_does_not_load(crates: Path) -> None:
    with pytest.raises(RError, match="not a function, but of the class list"):
        asking(crates / "list").__enter__()
