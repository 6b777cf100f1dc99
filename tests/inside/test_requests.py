"""Requests to a scoring server: accepted or refused as by the reference, or better, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from envkit.inside.data.requests import scoring_request
from envkit.inside.data.signature import InvalidInput, Signature
from tests.builders.request_signatures import AB, SIGNATURES
from tests.cases import cases

KINDS = {"application/json": "json", "text/csv": "csv", "application/vnd.apache.parquet": "parquet"}
# What the model itself makes of an input without a signature is its own affair; content types are
# the server's.
OF_THE_MODEL = {f"serve.invocations-{number:03}" for number in (30, 31, 37, 38, 39, 132, 133)}
BETTER: dict[str, tuple[bool, str]] = {
    "serve.invocations-033": (False, "rows with different keys are no columns of one length"),
    "serve.invocations-049": (False, "params are an object"),
    "serve.invocations-050": (False, "an unknown key may be a misspelt `params`"),
    "serve.invocations-090": (False, "1.5 for a long is refused, not cut to 1"),
}
ASKED = [
    case
    for case in cases("invocations")
    if case["given"]["content_type"] in KINDS
    and not str(case["given"]["body"]).startswith("b'")
    and case["id"] not in OF_THE_MODEL
]


def written(case: dict[str, Any], folder: Path) -> dict[str, str]:
    body = case["given"]["body"]
    path = folder / "request"
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return {"path": str(path), "content_type": KINDS[case["given"]["content_type"]]}


def parse_file(path: Path, signature: Any, content_type: str = "json") -> Any:
    source = {"path": str(path), "content_type": content_type}
    return scoring_request.parse_file(source, Signature(signature), raw=None).data


@pytest.mark.parametrize("case", ASKED, ids=lambda case: str(case["id"]))
def test_a_request_is_accepted_or_refused_as_by_the_reference(
    case: dict[str, Any], tmp_path: Path
) -> None:
    signature = Signature(SIGNATURES[case["given"]["model"]])
    taken, _ = BETTER.get(case["id"], (case["expect"]["status"] == 200, ""))

    if not taken:
        with pytest.raises(InvalidInput):
            scoring_request.parse_file(written(case, tmp_path), signature, raw=None)
        return
    data, params, _ = scoring_request.parse_file(written(case, tmp_path), signature, raw=None)
    answer = case["expect"]["body"]
    predicted = answer["predictions"] if isinstance(answer, dict) else answer
    if isinstance(predicted[0], str):
        kind, _, echo = predicted[0].split(":", 2)
        assert type(data).__name__ == kind
        assert json.dumps(params, sort_keys=True) == (echo or json.dumps(params, sort_keys=True))
    elif case["given"]["model"] == "a:long b:double":
        pd.testing.assert_frame_equal(
            data, pd.DataFrame(predicted).astype({"a": "int64", "b": "float64"})
        )
    else:
        assert isinstance(data, pd.DataFrame)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [{"x": "aGk="}]},
        {"inputs": {"x": ["aGk="]}},
        {"instances": [{"x": "aGk="}]},
    ],
    ids=lambda body: str(next(iter(body))),
)
def test_bytes_are_base64_in_every_form_of_a_request(body: dict[str, Any], tmp_path: Path) -> None:
    """MLflow leaves those of `inputs` encoded."""
    source = tmp_path / "request"
    source.write_text(json.dumps(body))

    data = parse_file(source, SIGNATURES["x:binary"])

    assert data["x"].tolist() == [b"hi"]


def test_parquet_is_enforced_as_a_data_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    signature = SIGNATURES["a:long b:double"]

    pd.DataFrame({"b": [0.5], "x": ["left out"], "a": [1]}).to_parquet(path)
    data = parse_file(path, signature, "parquet")
    pd.testing.assert_frame_equal(data, pd.DataFrame({"a": [1], "b": [0.5]}))

    pd.DataFrame({"a": [2.5], "b": [0.5]}).to_parquet(path)
    with pytest.raises(InvalidInput, match="cannot be safely converted to long"):
        parse_file(path, signature, "parquet")

    path.write_bytes(b"x")
    with pytest.raises(InvalidInput, match="it is not a valid Parquet file"):
        parse_file(path, signature, "parquet")


NESTED = [
    {"type": "array", "items": {"type": "double"}, "name": "q", "required": True},
    {
        "type": "object",
        "properties": {
            "n": {"type": "long", "required": True},
            "b": {"type": "binary", "required": False},
            "m": {"type": "map", "values": {"type": "datetime"}, "required": False},
        },
        "name": "o",
        "required": True,
    },
]


def nested(tmp_path: Path, row: dict[str, Any]) -> Any:
    source = tmp_path / "request"
    source.write_text(json.dumps({"dataframe_records": [row]}))
    data = parse_file(source, {"inputs": NESTED})
    return data.to_dict(orient="records")[0]


def test_nested_values_get_the_types_of_the_signature(tmp_path: Path) -> None:
    row = nested(
        tmp_path, {"q": [1, 2.5], "o": {"n": 2.0, "b": "aGk=", "m": {"k": "2024-01-02T00:00:00"}}}
    )

    assert row == {
        "q": [1.0, 2.5],
        "o": {"n": 2, "b": b"hi", "m": {"k": pd.Timestamp(2024, 1, 2)}},
    }
    assert [type(number) for number in row["q"]] == [float, float]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"q": [1], "o": {"n": 2.5}}, "the input `o`.n (long) must be a whole number, not 2.5"),
        ({"q": [1], "o": {"n": 2**63}}, "does not fit into 64 bits"),
        ({"q": ["1"], "o": {"n": 1}}, "the input `q` (double) must be a number, not '1'"),
        ({"q": 1, "o": {"n": 1}}, "the input `q` must be a list, not a number"),
        ({"q": [1], "o": {}}, "the input `o` has no `n`, which the model's signature requires"),
        (
            {"q": [1], "o": {"n": 1, "w": 1}},
            "the input `o` has `w`, which is not in the model's signature",
        ),
        ({"q": [1], "o": {"n": 1, "b": "?"}}, "must be a base64 string"),
        (
            {"q": [1], "o": {"n": 1, "m": {"k": "soon"}}},
            "must be an ISO 8601 date and time, not 'soon'",
        ),
        ({"q": [1], "o": {"n": True}}, "must be a whole number, not True"),
    ],
)
def test_a_nested_value_that_does_not_fit_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        nested(tmp_path, row)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        (AB, {"inputs": {"a": [2.5], "b": [1]}}),
        (AB, {"inputs": [{"a": 2.5, "b": 1}]}),
        (AB, {"instances": [{"a": 2.5, "b": 1}]}),
        ([{"type": "long"}], {"inputs": [2.5]}),
    ],
)
def test_a_fraction_for_a_whole_number_is_refused_also_without_pandas(
    inputs: Any, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for library in ("pandas", "numpy"):
        monkeypatch.setitem(sys.modules, library, None)
    source = tmp_path / "request"
    source.write_text(json.dumps(value))

    with pytest.raises(InvalidInput, match=r"must be a whole number, not 2\.5"):
        parse_file(source, {"inputs": inputs})


@pytest.mark.parametrize(("value", "kind"), [({"a": [1]}, "an object"), (["a"], "a list")])
def test_an_object_or_a_list_is_not_a_string(tmp_path: Path, value: Any, kind: str) -> None:
    source = tmp_path / "request"
    source.write_text(json.dumps({"dataframe_records": [{"c": value}]}))

    with pytest.raises(InvalidInput, match=f"`c` .*must be a string, not {kind}"):
        parse_file(source, SIGNATURES["c:string"])
