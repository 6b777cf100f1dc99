"""Columns of every type for every type of a signature: as the reference, or better, and why.

In a process of each environment, because types depend on the versions of pandas and NumPy.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.builders.inside_bench import PROGRAM
from tests.cases import cases

pytestmark = [pytest.mark.e2e, pytest.mark.network]

ENFORCE_ALL = """
import datetime, decimal, json, sys
from importlib.util import module_from_spec, spec_from_file_location
import numpy as np, pandas as pd
folder = sys.argv[1]
init = folder + "/__init__.py"
spec = spec_from_file_location("_envkit", init, submodule_search_locations=[folder])
sys.modules["_envkit"] = module_from_spec(spec)
from _envkit.data.enforcement.inputs import enforce
from _envkit.data.signature import InvalidInput, Signature

def of(values, **keywords):
    return lambda: pd.Series(values, **keywords)

date = datetime.date(2024, 1, 2)
moment = datetime.datetime(2024, 1, 2)
COLUMNS = {
    "bool": of([True, False]),
    "int64 (too big for int32)": of([2**40, 1]),
    "float32": of([1.5, 2.0], dtype="float32"),
    "float64": of([1.5, 2.5]),
    "float64 (whole numbers)": of([1.0, 2.0]),
    "float64 (whole, with NaN)": of([1.0, np.nan]),
    "object of str": of(["a", "b"]),
    "object of digit strings": of(["1", "2"]),
    "object of int": of([1, 2], dtype=object),
    "object of float": of([1.5, 2.5], dtype=object),
    "object of bool": of([True, False], dtype=object),
    "object of bytes": of([b"a", b"b"]),
    "object with None": of(["a", None]),
    "object of Decimal": of([decimal.Decimal("1.5")]),
    "object of date": of([date]),
    "object of datetime": of([moment], dtype=object),
    "datetime64[ns]": of([moment], dtype="datetime64[ns]"),
    "datetime64[us]": lambda: pd.Series(np.array([moment], dtype="datetime64[us]")),
    "datetime64[ns, UTC]": of(pd.to_datetime(["2024-01-02"], utc=True)),
    "timedelta64": of(pd.to_timedelta([1])),
    "category of str": of(["a", "b"], dtype="category"),
    "category of int": of([1, 2], dtype="category"),
    "string": of(["a", "b"], dtype="string"),
    "Int64": of([1, 2], dtype="Int64"),
    "Int64 with NA": of([1, None], dtype="Int64"),
    "Float64": of([1.5, 2.5], dtype="Float64"),
    "boolean": of([True, False], dtype="boolean"),
    "complex128": of([1j]),
}
for name in ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"):
    COLUMNS[name] = of([1, 2], dtype=name)

def as_json(value):
    if isinstance(value, bytes):
        return "bytes:" + value.decode()
    if isinstance(value, decimal.Decimal):
        return f"Decimal:{value}"
    if isinstance(value, datetime.date):
        return f"time:{value}"
    if value is None or value is pd.NA:
        return None
    return "NaN" if value != value else value.item() if hasattr(value, "item") else value

def outcome(column, kind, required):
    signature = Signature({"inputs": [{"type": kind, "name": "c", "required": required}]})
    try:
        series = enforce(pd.DataFrame({"c": COLUMNS[column]()}), signature)["c"]
    except InvalidInput as error:
        return {"allowed": False, "message": str(error)}
    if str(series.dtype) == "str":  # of strings in pandas 3, which has NaN for a missing one
        series = series.astype(object).where(series.notna(), None)
    values = [as_json(value) for value in series.astype(object)]
    return {"allowed": True, "dtype": str(series.dtype), "values": values}

columns = json.load(sys.stdin)
outcomes = [outcome(*column) for column in columns]
json.dump({"pandas": pd.__version__, "outcomes": outcomes}, sys.stdout)
"""

BOOLEAN = "only booleans are booleans; MLflow with pandas 3 refuses strings, too"
BETTER = {
    "cast.column-014": (False, BOOLEAN),
    "cast.column-015": (False, BOOLEAN),
    "cast.column-019": (False, BOOLEAN),
    "cast.column-020": (False, BOOLEAN),
    "cast.column-021": (False, BOOLEAN),
    "cast.column-022": (False, BOOLEAN),
    "cast.column-155": (
        False,
        "texts of digits are texts, and MLflow makes int64 of them where it promises doubles",
    ),
}


def ask(python: Path, *columns: tuple[str, str, bool]) -> dict[str, Any]:
    ended = subprocess.run(
        [python, "-c", ENFORCE_ALL, PROGRAM.parent],
        input=json.dumps(columns).encode(),
        check=True,
        capture_output=True,
    )
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def test_each_column_is_cast_or_refused_as_the_reference_does(scientific_python: Path) -> None:
    table = cases("casts")

    answer = ask(
        scientific_python, *((case["given"]["from"], case["given"]["to"], True) for case in table)
    )

    newest = int(answer["pandas"].partition(".")[0]) >= 3
    different = {}
    for case, outcome in zip(table, answer["outcomes"], strict=True):
        expected = case.get("expect_pandas3", case["expect"]) if newest else case["expect"]
        if case["id"] in BETTER:
            expected = {"allowed": BETTER[case["id"]][0]}
        if any(outcome.get(key) != value for key, value in expected.items() if key != "error"):
            different[case["id"]] = (case["given"], expected, outcome)
    assert not different


@pytest.mark.parametrize(
    ("column", "kind", "dtype"),
    [
        (
            "Int64 with NA",
            "long",
            "Int64",
        ),  # MLflow infers an optional long from it, and then refuses it
        (
            "float64 (whole, with NaN)",
            "long",
            "float64",
        ),  # how pandas has whole numbers of which some are missing
        ("float64 (whole, with NaN)", "integer", "float64"),
    ],
)
def test_an_optional_column_may_hold_whole_numbers_and_missing_values(
    scientific_python: Path, column: str, kind: str, dtype: str
) -> None:
    (allowed, refused) = ask(scientific_python, (column, kind, False), ("float64", kind, False))[
        "outcomes"
    ]

    assert (allowed["allowed"], allowed["dtype"]) == (True, dtype)
    assert refused["allowed"] is False


def test_an_error_names_the_column_both_types_and_the_remedy(scientific_python: Path) -> None:
    outcomes = ask(
        scientific_python, ("float64 (whole, with NaN)", "long", True), ("float64", "long", True)
    )["outcomes"]

    assert [outcome["message"].partition(". ")[0] for outcome in outcomes] == [
        "the input `c` has the type float64, which cannot be safely converted to long"
    ] * 2
    assert "make the input optional in the signature" in outcomes[0]["message"]
