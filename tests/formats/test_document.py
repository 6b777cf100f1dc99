from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from envkit.errors import InvalidFile
from envkit.formats.document import MAX_DEPTH, Document, dump_yaml, parse_yaml

PATH = Path("MLmodel")


def test_a_wrong_type_is_named_with_file_and_whole_key() -> None:
    document = Document.parse("flavors:\n  python_function:\n    loader_module: [1]\n", PATH)

    with pytest.raises(InvalidFile) as caught:
        document.mapping("flavors").mapping("python_function").text("loader_module")

    assert caught.value.where == "flavors.python_function.loader_module"
    assert (
        str(caught.value)
        == "MLmodel, flavors.python_function.loader_module: expected text, found a list."
    )


def test_a_wrong_item_of_a_list_is_named_with_its_place() -> None:
    with pytest.raises(InvalidFile, match=r"deps\[1\]: expected text, found the number 5"):
        Document.parse("deps: [a, 5]", PATH).texts("deps")


@pytest.mark.parametrize("text", ["python: 3.10", "python: 3", "python: 3.11"])
def test_a_number_where_text_belongs_is_refused_with_the_advice_to_quote_it(text: str) -> None:
    with pytest.raises(InvalidFile, match="Write it in quotes"):
        Document.parse(text, PATH).text("python")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("# only a comment\n", "expected keys with values, found nothing"),
        ("- a\n- b\n", "expected keys with values, found a list"),
        ("just words", "expected keys with values, found text"),
        ("a: [1, 2", "line 2: is not valid YAML"),
        ("a: 'no end\n", "is not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' occurs twice"),
        ("a: {x: 1, x: 2}", "the key 'x' occurs twice"),
        ("a: &x 1\n", "line 1: anchors and aliases are not allowed"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases are not allowed"),
        ("a: !!python/object:os.system {}", "could not determine a constructor"),
        ("a: !!python/name:os.system ''", "could not determine a constructor"),
        ("a: !!binary aGFsbG8=", "could not determine a constructor"),
        ("? [a]\n: 1\n", "unhashable"),
        ("a: 1\n---\nb: 2\n", "single document"),
        ("a: \x07", "is not valid YAML"),
        ("a: " + "[" * 100_000, "nested deeper|is not valid YAML"),
        ("a: " + "{a: " * 100_000, "nested deeper|is not valid YAML"),
        ("a: [" + "1, " * 200_000 + "]", "more than 200,000 values"),
        ("a: " + "9" * 10_000, "is not valid YAML"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_what_is_no_plain_yaml_mapping_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        Document.parse(text, PATH)


def test_many_aliases_do_not_blow_up() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + at)}: &{chr(98 + at)} [*{chr(97 + at)}, *{chr(97 + at)}]\n" for at in range(20)
    )

    with pytest.raises(InvalidFile, match="anchors and aliases"):
        Document.parse(bomb, PATH)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, PATH)


@pytest.mark.parametrize("text", ["2024-01-01", "2024-01-01 10:00:00", "2024-01-01T10:00:00Z"])
def test_a_date_without_quotes_is_text_and_is_written_with_quotes(text: str) -> None:
    content = Document.parse(f"utc_time_created: {text}\n", PATH).content

    assert content == {"utc_time_created": text}
    assert dump_yaml(content) == f"utc_time_created: '{text}'\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        ('{"a": 1', "line 1: is not valid JSON"),
        ("[" * 200_000, "nested too deeply|not valid JSON"),
        ("[1]", "expected keys with values"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_json_object_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        Document.parse(text, Path("envkit.json"))


def test_the_layout_is_that_of_mlflow() -> None:
    content = {
        "channels": ["conda-forge"],
        "dependencies": [
            "python=3.11.7",
            "pip<=23.2.1",
            {"pip": ["mlflow==3.17.2", "é @ https://h.example/é.whl"]},
        ],
        "name": "mlflow-env",
        "python": "3.10",
        "nothing": None,
        "long": "word " * 50 + "end",
    }

    assert dump_yaml(content) == (
        "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=23.2.1\n"
        "- pip:\n  - mlflow==3.17.2\n"
        "  - é @ https://h.example/é.whl\nname: mlflow-env\npython: '3.10'\nnothing: null\n"
        f"long: {'word ' * 50}end\n"
    )


def test_a_thing_that_occurs_twice_is_written_twice() -> None:
    shared = ["a"]

    assert dump_yaml({"x": shared, "y": shared}) == "x:\n- a\ny:\n- a\n"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, min_size=1))
def test_what_is_written_is_read_back_equal_by_envkit_and_by_others(
    content: dict[str, Any],
) -> None:
    text = dump_yaml(content)

    assert parse_yaml(text, PATH) == content
    assert yaml.safe_load(text) == content
    assert dump_yaml(parse_yaml(text, PATH)) == text


def test_infinite_and_undefined_numbers_survive() -> None:
    read = parse_yaml(dump_yaml({"a": math.inf, "b": -math.inf, "c": math.nan}), PATH)

    assert read["a"] == math.inf
    assert read["b"] == -math.inf
    assert math.isnan(read["c"])
