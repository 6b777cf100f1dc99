"""What goes in comes out: a column of every dtype, on every way to a model, or refused by name.

`python -m tests.models.test_round_trips` writes the table into docs/signatures.md.
"""

from __future__ import annotations

import base64
import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envkit.errors import InvalidArgument
from envkit.inside.data import wire
from envkit.inside.data.requests import csv_request, json_request, parquet_request
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models import ModelSignature, enforce, infer_signature, input_example
from tests.builders.columns import COLUMNS, OTHERWISE, SUPPORTED, refusal

DOCS = Path(__file__).parents[2] / "docs" / "signatures.md"
BEGIN, END = "<!-- made by tests/models/test_round_trips.py -->", "<!-- end of the table -->"
# What a model gets instead, on every way: see docs/signatures.md.
PARQUET_LACKS = ("Sparse[float64]", "Sparse[int64]")


def signature_of(frame: pd.DataFrame) -> ModelSignature:
    """Infer a signature and send it through the text of `MLmodel`."""
    return ModelSignature.from_dict(json.loads(json.dumps(infer_signature(frame).to_dict())))


def by_python(frame: pd.DataFrame, signature: ModelSignature) -> Any:
    return enforce(frame, signature)


def by_live_model(frame: pd.DataFrame, signature: ModelSignature) -> Any:
    return enforce(wire.loads(wire.dumps(frame)), signature)


def by_json(frame: pd.DataFrame, signature: ModelSignature) -> Any:
    request = input_example.encode(frame).files[input_example.SERVING_FILE_NAME]
    return json_request.parse(request.encode(), Signature(signature.to_dict()), raw=None).data


def by_csv(frame: pd.DataFrame, signature: ModelSignature) -> Any:
    text = frame.map(_cell).to_csv(index=False) if _has_bytes(frame) else frame.to_csv(index=False)
    return csv_request.parse(text.encode(), Signature(signature.to_dict()), None)


def by_parquet(frame: pd.DataFrame, signature: ModelSignature) -> Any:
    content = io.BytesIO()
    frame.to_parquet(content)
    return parquet_request.parse(content.getvalue(), Signature(signature.to_dict()), None)


def _has_bytes(frame: pd.DataFrame) -> bool:
    return any(isinstance(value, bytes) for value in frame["c"])


def _cell(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else None


WAYS: Mapping[str, Callable[[pd.DataFrame, ModelSignature], Any]] = {
    "Python": by_python,
    "live": by_live_model,
    "JSON, HTTP": by_json,
    "CSV": by_csv,
    "Parquet": by_parquet,
}


def outcome(name: str, series: Any, way: str) -> str:
    """Return `equal`, the dtype that the model gets instead, or why it is refused."""
    frame = pd.DataFrame({"c": series})
    if way == "Parquet" and name in PARQUET_LACKS:
        return "not in Parquet"
    got = WAYS[way](frame, signature_of(frame))
    try:
        pd.testing.assert_frame_equal(got, frame)
    except AssertionError:
        return f"{got['c'].dtype}"
    return "equal"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_reaches_the_model_as_it_is_or_is_refused_by_name(name: str, way: str) -> None:
    series = COLUMNS[name]
    problem = refusal(series)
    if problem is not None:
        assert problem.startswith(
            f"Column `c`: A signature has no type for values of {series.dtype}"
        )
        assert problem.endswith(("`.", "float64."))
        return
    if name == "object of integers with gaps" and way in ("Python", "live"):
        with pytest.raises(ValueError, match="too large for a float"):
            outcome(name, series, way)
        return
    assert outcome(name, series, way) in (OTHERWISE.get(name, "equal"), "not in Parquet")


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(SUPPORTED),
    way=st.sampled_from(list(WAYS)),
    places=st.lists(st.integers(0, 2), min_size=1, max_size=6),
    chosen=st.lists(st.integers(0, 2), min_size=1, max_size=6),
)
def test_also_other_rows_than_those_of_the_example(
    name: str, way: str, places: list[int], chosen: list[int]
) -> None:
    """The signature is inferred from some rows, and the model gets others of the same kind."""
    if way == "Parquet" and name in PARQUET_LACKS:
        return
    example = pd.DataFrame({"c": COLUMNS[name]}).take([*places, 0, 1, 2]).reset_index(drop=True)
    frame = example.take([place % len(example) for place in chosen]).reset_index(drop=True)
    got = WAYS[way](frame, signature_of(example))

    if str(example["c"].dtype) == "object":
        assert got["c"].tolist() == frame["c"].tolist()
    else:
        pd.testing.assert_frame_equal(got, frame)


@pytest.mark.parametrize(
    ("dtype", "value", "problem"),
    [
        ("datetime64[s]", "2024-05-01T10:00:00.25", "finer than s"),
        ("datetime64[ns, UTC]", "2024-05-01T10:00:00", "must have a time zone"),
        ("datetime64[ns]", "2024-05-01T10:00:00Z", "must have no time zone"),
        ("Int8", 300, "cannot become Int8"),
        ("boolean", "maybe", "must be true or false"),
        ("bool[pyarrow]", 2, "must be true or false"),
    ],
)
def test_a_value_that_the_dtype_does_not_hold_is_refused(
    dtype: str, value: Any, problem: str
) -> None:
    kind = "datetime" if dtype.startswith("date") else "long" if dtype == "Int8" else "boolean"
    parts = {"inputs": [{"name": "c", "type": kind}], "pandas": [{"dtype": dtype}]}
    request = {"dataframe_split": {"columns": ["c"], "data": [[value]]}}
    with pytest.raises(InvalidInput, match=f"`c`.*{problem}"):
        json_request.parse(json.dumps(request).encode(), Signature(parts), raw=None)


def test_a_value_that_is_not_a_category_is_one_more_category() -> None:
    example = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    request = {"dataframe_split": {"columns": ["c"], "data": [["z"], ["a"]]}}
    signature = Signature(signature_of(example).to_dict())
    data = json_request.parse(json.dumps(request).encode(), signature, raw=None).data

    assert data["c"].tolist() == ["z", "a"]
    assert data["c"].cat.categories.tolist() == ["a", "b", "z"]


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-01T10:00:00.250000", "2024-01-01T10:00:01"],
        ["2024-01-01T10:00:01", "2024-01-01T10:00:00.250000"],
        ["2024-01-01T00:00:00", "2024-01-02"],
        ["2024-01-01 10:00", "2024-01-01 10:00:05"],
        ["3000-01-01", "1500-01-01T10:00:00"],
    ],
)
def test_each_time_has_its_own_form_of_iso_8601(texts: list[str]) -> None:
    signature = Signature({"inputs": [{"name": "t", "type": "datetime"}]})
    rows = [[text] for text in texts]
    request = {"dataframe_split": {"columns": ["t"], "data": rows}}
    by_json = json_request.parse(json.dumps(request).encode(), signature, raw=None).data
    by_csv = csv_request.parse("\n".join(["t", *texts]).encode(), signature, None)

    pd.testing.assert_frame_equal(by_json, by_csv)
    assert by_json["t"].dt.year.tolist() == [int(text[:4]) for text in texts]


@pytest.mark.parametrize(
    "names",
    [
        pd.to_datetime(["2024-01-01", "2024-02-01"]),
        pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]),
        [None, "a"],
        [True, False],
    ],
)
def test_names_that_json_does_not_have_are_refused_with_a_remedy(names: Any) -> None:
    frame = pd.DataFrame([[1, 2]], columns=names)

    for refused in (infer_signature, input_example.encode):
        with pytest.raises(InvalidArgument, match=r"The column .* `df.columns = df.columns.map"):
            refused(frame)


def table() -> str:
    """Return the table of the documentation."""
    lines = ["| dtype | " + " | ".join(WAYS) + " |", "|---" * (len(WAYS) + 1) + "|"]
    for name, series in COLUMNS.items():
        problem = refusal(series)
        if problem is not None:
            remedy = problem.partition(f"values of {series.dtype}.")[2].strip()
            cells = [f"refused: {remedy[0].lower()}{remedy[1:]}", *[""] * (len(WAYS) - 1)]
        elif name in OTHERWISE:
            cells = [OTHERWISE[name]] * len(WAYS)
        else:
            cells = [outcome(name, series, way) for way in WAYS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_the_documentation_has_the_table() -> None:
    written = DOCS.read_text().partition(BEGIN)[2].partition(END)[0].strip()

    assert written == table(), "run: python -m tests.models.test_round_trips"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    before, _, rest = DOCS.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    DOCS.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")
