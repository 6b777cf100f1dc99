"""Data frames and arrays, read from requests under a signature, and written in answers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.builders.inside_bench import PROGRAM, Bench

pytestmark = [pytest.mark.e2e, pytest.mark.network]

# Describes what the model gets, independently of the version of pandas.
SEE = """
import numpy, pandas
def kind(dtype):
    is_text = dtype.kind in "OU" or str(dtype) == "str"
    return "text" if is_text else str(dtype)
def see(value):
    if isinstance(value, pandas.DataFrame):
        kinds = {str(name): kind(column.dtype) for name, column in value.items()}
        rows = [[see(item) for item in row] for row in value.astype(object).values.tolist()]
        return {"frame": kinds, "rows": rows, "index": value.index.tolist()}
    if isinstance(value, numpy.ndarray):
        name = "U" if value.dtype.kind == "U" else str(value.dtype)
        return {"array": name, "values": value.tolist()}
    if isinstance(value, dict):
        return {name: see(item) for name, item in value.items()}
    if isinstance(value, list):
        return [see(item) for item in value]
    if isinstance(value, numpy.generic):
        return [type(value).__name__, value.item()]
    return value.decode() if isinstance(value, bytes) else value
"""


def column(kind: str, name: str | None = "a", **more: Any) -> dict[str, Any]:
    return {"type": kind, **({"name": name} if name else {}), "required": True, **more}


def tensor(dtype: str, *shape: int, name: str | None = None) -> dict[str, Any]:
    return {
        "type": "tensor",
        "tensor-spec": {"dtype": dtype, "shape": list(shape)},
        **({"name": name} if name else {}),
    }


# One process for a whole table: importing pandas takes longer than everything else.
ASK_ALL = """
import json, sys, types
from importlib.util import module_from_spec, spec_from_file_location
folder, cases = sys.argv[1:]
init = folder + "/__init__.py"
spec = spec_from_file_location("_envkit", init, submodule_search_locations=[folder])
sys.modules["_envkit"] = module_from_spec(spec)
from _envkit.data import json_encoding
from _envkit.data.requests import scoring_request
from _envkit.data.signature import InvalidInput, Signature
outcomes = []
for content_type, inputs, path in json.load(open(cases)):
    signature = Signature({"inputs": json.dumps(inputs)} if inputs else None)
    try:
        source = {"path": path, "content_type": content_type}
        data = scoring_request.parse_file(source, signature, raw=None).data
        outcomes.append(json_encoding.encode(see(data)))
    except InvalidInput as error:
        outcomes.append(str(error))
print(json.dumps(outcomes))
"""


def ask(bench: Bench, python: Path, *cases: tuple[Any, Any], kind: str = "json") -> list[Any]:
    """Give what the model would see of each (request, inputs of the signature), or the message."""
    requests = []
    for index, (value, inputs) in enumerate(cases):
        path = bench.folder / f"input-{index}"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        requests.append((kind, inputs, str(path)))
    (bench.folder / "cases.json").write_text(json.dumps(requests))
    program = bench.folder / "ask.py"
    program.write_text(SEE + ASK_ALL)
    argv = [python, program, PROGRAM.parent, bench.folder / "cases.json"]
    outcomes: list[Any] = json.loads(
        subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    )
    return outcomes


def frame(kinds: str, *rows: Any, index: list[int] | None = None) -> dict[str, Any]:
    """A data frame as the model sees it; `kinds` is `name:dtype name:dtype`."""
    columns = dict(kind.split(":") for kind in kinds.split())
    return {
        "frame": columns,
        "rows": [list(row) for row in rows],
        "index": index or list(range(len(rows))),
    }


AB = [column("long"), column("double", "b")]


FORMS: list[tuple[Any, ...]] = [
    (
        {"dataframe_split": {"columns": ["a"], "index": [5], "data": [[1]]}},
        None,
        frame("a:int64", [1], index=[5]),
    ),
    (
        {"dataframe_split": {"data": [[1, "x"]]}},
        None,
        frame("0:int64 1:text", [1, "x"]),
    ),
    (
        {"dataframe_records": [{"a": 1}, {"a": 2}]},
        None,
        frame("a:int64", [1], [2]),
    ),
    ({"dataframe_records": []}, None, frame("")),
    ({"inputs": [1, 2]}, None, {"array": "int64", "values": [1, 2]}),
    ({"instances": [[1, 2], [3, 4]]}, None, {"array": "int64", "values": [[1, 2], [3, 4]]}),
    ({"instances": [{"a": 1}, {"a": 2}]}, None, {"a": {"array": "int64", "values": [1, 2]}}),
    (
        {"inputs": {"a": [1.5], "b": ["x"]}},
        None,
        {"a": {"array": "float64", "values": [1.5]}, "b": {"array": "U", "values": ["x"]}},
    ),
    # the signature's columns, in its order, of its types
    (
        {"dataframe_split": {"columns": ["b", "x", "a"], "data": [[1, 9, 2]]}},
        AB,
        frame("a:int64 b:float64", [2, 1.0]),
    ),
    ({"inputs": {"a": [1], "b": [0.5]}}, AB, frame("a:int64 b:float64", [1, 0.5])),
    ({"inputs": {"a": 1, "b": 0.5}}, AB, frame("a:int64 b:float64", [1, 0.5])),
    ({"inputs": [{"a": 1, "b": 2}]}, AB, frame("a:int64 b:float64", [1, 2.0])),
    ({"instances": [{"a": 1, "b": 2}]}, AB, frame("a:int64 b:float64", [1, 2.0])),
    ({"dataframe_records": [{"a": "1", "b": "0.5"}]}, AB, frame("a:int64 b:float64", [1, 0.5])),
    ({"dataframe_records": [{"a": 2.0, "b": None}]}, AB, frame("a:int64 b:float64", [2, None])),
    (
        {"dataframe_records": [{"a": 1152921504606846977}]},
        [column("long")],
        frame("a:int64", [1152921504606846977]),
    ),
    ({"dataframe_records": []}, [], frame("")),
    ({"dataframe_records": [{"a": 1}]}, [column("integer")], frame("a:int32", [1])),
    ({"dataframe_records": [{"a": 0.5}]}, [column("float")], frame("a:float32", [0.5])),
    (
        {"dataframe_records": [{"a": True}, {"a": 0}]},
        [column("boolean")],
        frame("a:bool", [True], [False]),
    ),
    ({"dataframe_records": [{"a": "aGk="}]}, [column("binary")], frame("a:text", ["hi"])),
    ({"inputs": {"a": ["aGk="]}}, [column("binary")], frame("a:text", ["hi"])),
    ({"inputs": ["x", "y"]}, [column("string", None)], frame("0:text", ["x"], ["y"])),
    (
        {"dataframe_records": [{"a": None}, {"a": 1}]},
        [column("long", required=False)],
        frame("a:float64", [None], [1.0]),
    ),
    (
        {"dataframe_records": [{"b": 1}]},
        [column("long", required=False), column("long", "b")],
        frame("b:int64", [1]),
    ),
    (
        {"dataframe_records": [{"a": "2024-01-02T00:00:00"}, {"a": "2024-01-02T03:04:05"}]},
        [column("datetime")],
        frame("a:datetime64[ns]", ["2024-01-02T00:00:00"], ["2024-01-02T03:04:05"]),
    ),
    (
        {"inputs": {"a": ["2024-01-02"]}},
        [column("datetime")],
        frame("a:datetime64[ns]", ["2024-01-02T00:00:00"]),
    ),
    (
        {"inputs": [[1, 2]]},
        [tensor("float64", -1, 2)],
        {"array": "float64", "values": [[1.0, 2.0]]},
    ),
    (
        {"dataframe_split": {"data": [[1, 2]]}},
        [tensor("float32", -1, 2)],
        {"array": "float32", "values": [[1.0, 2.0]]},
    ),
    (
        {"instances": [{"x": [1, 2], "y": 3}]},
        [tensor("int32", -1, 2, name="x"), tensor("float64", -1, name="y")],
        {"x": {"array": "int32", "values": [[1, 2]]}, "y": {"array": "float64", "values": [3.0]}},
    ),
    (
        {"dataframe_records": [{"x": [1, 2], "y": 3}]},
        [tensor("int32", -1, 2, name="x"), tensor("float64", -1, name="y")],
        {"x": {"array": "int32", "values": [[1, 2]]}, "y": {"array": "float64", "values": [3.0]}},
    ),
]


def test_a_request_has_the_form_that_the_signature_promises(
    bench: Bench, scientific_python: Path
) -> None:
    outcomes = ask(bench, scientific_python, *((value, inputs) for value, inputs, _ in FORMS))

    for (value, inputs, expected), outcome in zip(FORMS, outcomes, strict=True):
        assert outcome == expected, (value, inputs)


REFUSED: list[tuple[Any, ...]] = [
    (
        {"dataframe_records": [{"a": 2.5}]},
        [column("long")],
        "`a` (long) must be a whole number, not 2.5",
    ),
    ({"dataframe_records": [{"a": "2.5"}]}, [column("long")], "`a` (long) must be a number: "),
    ({"dataframe_records": [{"a": "x"}]}, [column("double")], "`a` (double) must be a number: "),
    ({"dataframe_records": [{"a": None}]}, [column("long")], "`a` (long) must not be null"),
    ({"dataframe_records": [{"a": 2**40}]}, [column("integer")], "does not fit into 32 bits"),
    ({"dataframe_records": [{"a": 2**70}]}, [column("long")], "does not fit into 64 bits"),
    (
        {"dataframe_records": [{"a": 1e300}]},
        [column("long")],
        "must be a whole number, not 1e+300",
    ),
    (
        {"dataframe_records": [{"a": "no"}]},
        [column("boolean")],
        "`a` (boolean) must be true or false, not 'no'",
    ),
    (
        {"dataframe_records": [{"a": 1}, {"a": 0}, {"a": 2}, {"a": 3}]},
        [column("boolean")],
        "`a` (boolean) must be true or false, not 2",
    ),
    ({"dataframe_records": [{"a": "not base64!"}]}, [column("binary")], "base64"),
    ({"dataframe_records": [{"a": 5}]}, [column("binary")], "base64"),
    ({"dataframe_records": [{"a": "junk"}]}, [column("datetime")], "`a` (datetime)"),
    (
        {"dataframe_records": [{"b": 1}]},
        [column("long")],
        "the input has no `a`; the model takes `a`",
    ),
    (
        {"dataframe_split": {"data": [[1]]}},
        [column("long", None)] * 2,
        "has 1 columns; the model takes 2",
    ),
    (
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
        None,
        "`dataframe_split` is not a valid data frame",
    ),
    ({"inputs": {"a": [2.5]}}, [column("long")], "must be a whole number, not 2.5"),
    ({"inputs": [{"a": 2.5}]}, [column("long")], "must be a whole number, not 2.5"),
    ({"instances": [[1], [2, 3]]}, None, "the input: "),
    ({"inputs": [[1.5, 2]]}, [tensor("int64", -1, 2)], "must be a whole number, not 1.5"),
    ({"inputs": [["a", "b"]]}, [tensor("float64", -1, 2)], "must be a number: "),
    (
        {"inputs": {"x": [1]}},
        [tensor("int64", -1, name="x"), tensor("int64", -1, name="y")],
        "the input has no `y`",
    ),
]


def test_a_value_that_does_not_fit_is_refused(bench: Bench, scientific_python: Path) -> None:
    outcomes = ask(bench, scientific_python, *((value, inputs) for value, inputs, _ in REFUSED))

    for (value, inputs, message), outcome in zip(REFUSED, outcomes, strict=True):
        assert isinstance(outcome, str), (value, inputs, outcome)
        assert message in outcome, (value, inputs)


CSV: list[tuple[Any, ...]] = [
    ("a,b\n1,0.5\n", None, frame("a:int64 b:float64", [1, 0.5])),
    ("b,a\n1,2\n", AB, frame("a:int64 b:float64", [2, 1.0])),
    ("a\n001\n", [column("string")], frame("a:text", ["001"])),
]
REFUSED_CSV: list[tuple[Any, ...]] = [
    ("", None, "it is not valid CSV: No columns to parse from file"),
    ("a,b\nx,0.5\n", AB, "`a` (long) must be a number: "),
    ("a\n1\n", AB, "the input has no `b`; the model takes `a`, `b`"),
]


def test_csv_is_read_with_the_signatures_types(bench: Bench, scientific_python: Path) -> None:
    outcomes = ask(
        bench, scientific_python, *((text, inputs) for text, inputs, _ in CSV), kind="csv"
    )

    for (text, _, expected), outcome in zip(CSV, outcomes, strict=True):
        assert outcome == expected, text


def test_csv_that_does_not_fit_is_refused(bench: Bench, scientific_python: Path) -> None:
    outcomes = ask(
        bench,
        scientific_python,
        *((text, inputs) for text, inputs, _ in REFUSED_CSV),
        kind="csv",
    )

    for (text, _, message), outcome in zip(REFUSED_CSV, outcomes, strict=True):
        assert isinstance(outcome, str), (text, outcome)
        assert message in outcome, text


ANSWERS = [
    ("np.array([[1, 2]])", [[1, 2]]),
    ("np.array([1.5, np.nan, np.inf])", [1.5, None, None]),
    ("np.array([0.1], dtype='float32')", [0.10000000149011612]),
    ("np.array(5)", 5),
    ("np.array(np.nan)", None),
    ("np.array(['a'])", ["a"]),
    ("np.array([b'x'])", ["eA==\n"]),
    ("np.array([1, None, 'x', np.float32(2)], dtype=object)", [1, None, "x", 2.0]),
    ("np.array(['2024-01-02', 'NaT'], dtype='datetime64[D]')", ["2024-01-02", None]),
    ("np.array(['2024-01-02'], dtype='datetime64[ns]')", ["2024-01-02T00:00:00"]),
    ("np.datetime64('2024-01-02T03:04')", "2024-01-02T03:04:00"),
    ("np.datetime64('2024-01-02T03:04:05.000000001')", "2024-01-02T03:04:05.000000001"),
    ("np.datetime64('-20000-01-02')", "-20000-01-02"),
    ("np.float32(1.5)", 1.5),
    ("[np.int64(1), np.bool_(True), np.str_('x')]", [1, True, "x"]),
    ("{np.int64(1): np.array([1.0])}", {"1": [1.0]}),
    ("pd.Series([1, 2])", [{"0": 1}, {"0": 2}]),
    ("pd.Series([1.5, None], name='p')", [{"p": 1.5}, {"p": None}]),
    ("pd.DataFrame({'p': [1, 2], 'q': ['x', None]})", [{"p": 1, "q": "x"}, {"p": 2, "q": None}]),
    ("pd.DataFrame({'p': pd.array([1, None], dtype='Int64')})", [{"p": 1}, {"p": None}]),
    (
        "pd.DataFrame({'d': pd.to_datetime(['2024-01-02', None])})",
        [{"d": "2024-01-02T00:00:00"}, {"d": None}],
    ),
    ("[pd.NA, pd.NaT, pd.Timestamp('2024-01-02')]", [None, None, "2024-01-02T00:00:00"]),
    ("pd.DataFrame({'a': [np.array([1.0, np.nan])]})", [{"a": [1.0, None]}]),
    ("pd.Index([1, 2])", [1, 2]),
    ("pd.Categorical(['x', 'y'])", ["x", "y"]),
    ("scipy.sparse.csr_matrix([[0, 1]])", [[0, 1]]),
]


def test_arrays_and_frames_become_json(bench: Bench, scientific_python: Path) -> None:
    answers = ", ".join(code for code, _ in ANSWERS)
    bench.loader(
        top="import numpy as np, pandas as pd, scipy.sparse", predict=f"return [{answers}]"
    )

    report = bench.predict(str(scientific_python), {"inputs": 1})

    assert report.last == "done", report.events[-1]
    for (code, expected), answer in zip(ANSWERS, bench.predictions, strict=True):
        assert answer == expected, code


@pytest.mark.parametrize(
    "code",
    [
        "np.array([1j])",
        "pd.DataFrame([[1, 2]], columns=['a', 'a'])",
        "pd.Timedelta(1)",
        "[np.timedelta64(1)]",
    ],
)
def test_an_answer_that_json_cannot_hold_is_an_error(
    bench: Bench, scientific_python: Path, code: str
) -> None:
    bench.loader(top="import numpy as np, pandas as pd", predict=f"return {code}")

    error = bench.predict(str(scientific_python), {"inputs": 1}).events[-1]

    assert (error["event"], error.get("kind")) == ("error", "output")


SPARSE = {"data": [1.5], "indices": [1], "indptr": [0, 1], "shape": [1, 3]}


@pytest.mark.parametrize(
    ("value", "info", "inputs", "expected"),
    [
        (
            {"columns": ["a"], "data": [[1]]},
            {"type": "dataframe", "pandas_orient": "split"},
            None,
            [{"a": 1}],
        ),
        ({"data": [[1]]}, {"type": "dataframe", "pandas_orient": "values"}, None, [{"0": 1}]),
        (
            [{"a": 1}],
            {"type": "dataframe", "pandas_orient": "records"},
            [column("double")],
            [{"a": 1.0}],
        ),
        ([[1, 2]], {"type": "ndarray"}, [tensor("float64", -1, 2)], [[1.0, 2.0]]),
        ({"x": [1]}, {"type": "ndarray"}, None, {"x": [1]}),
        (SPARSE, {"type": "sparse_matrix_csr"}, None, [[0.0, 1.5, 0.0]]),
        (
            {**SPARSE, "indptr": [0, 0, 1, 1], "indices": [0]},
            {"type": "sparse_matrix_csc"},
            None,
            [[0.0, 1.5, 0.0]],
        ),
        ({"a": 1}, {"type": "json_object"}, None, {"a": 1}),
        ({"a": 1}, {"type": "json_object"}, [column("long")], [{"a": 1}]),
        ([1, 2], {"type": "json_object"}, [column("long", None)], [{"0": 1}, {"0": 2}]),
    ],
)
def test_a_saved_example_is_read_by_its_type(
    bench: Bench,
    scientific_python: Path,
    value: Any,
    info: dict[str, str],
    inputs: Any,
    expected: Any,
) -> None:
    bench.loader()
    signature = None if inputs is None else {"inputs": inputs}

    report = bench.run(
        str(scientific_python), example=bench.example(value, **info), signature=signature
    )

    assert report.last == "done", report.events[-1]
    assert report.one("prediction")["output"] == expected
    importers = {
        event["importer"]
        for event in report.named("import")
        if event["module"].startswith(("pandas", "scipy"))
    }
    own = {name for name in importers if name.startswith("_envkit")}
    assert own <= {"_envkit.input_libraries"} | {
        f"_envkit.data.{name}"
        for name in (
            "enforcement.conversion",
            "enforcement.data_frames",
            "enforcement.tensors",
            "enforcement.widening",
            "optional_libraries",
            "requests.saved_example",
        )
    }
    assert not any(
        "envkit" in event["path"]
        for event in report.named("file")
        if event["path"].endswith("journal.jsonl")
    )
