"""Schemas, parameters and signatures are as MLflow's, or better, and why."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
import pickle
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pydantic
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from envkit.errors import InvalidArgument
from envkit.models import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    ModelSignature,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    SparkMLVector,
    TensorSpec,
    infer_schema,
    infer_signature,
    infer_signature_from_type_hints,
)
from envkit.models.data_types import from_dict, merge
from tests.cases import cases

CASES = cases("signatures")
NOW = datetime.datetime(2024, 1, 2)
EXAMPLES: dict[str, Any] = {
    "int list": [1, 2],
    "float list": [1.5],
    "str list": ["a"],
    "bool list": [True],
    "mixed int and float list": [1, 1.5],
    "mixed int and str list": [1, "a"],
    "empty list": [],
    "None": None,
    "list of None": [None],
    "str": "a",
    "int": 1,
    "float": 1.5,
    "bytes": b"a",
    "bool": True,
    "dict of scalars": {"a": 1, "b": "x"},
    "dict of lists": {"a": [1], "b": ["x"]},
    "dict with None": {"a": 1, "b": None},
    "nested dict": {"a": {"b": 1}},
    "list of dicts": [{"a": 1}, {"a": 2}],
    "list of dicts, a key missing": [{"a": 1, "b": 1}, {"a": 2}],
    "list of dicts, types differ": [{"a": 1}, {"a": "x"}],
    "list of dicts, None then int": [{"a": None}, {"a": 1}],
    "dict with non-string key": {1: 1},
    "int64 array": np.array([1, 2]),
    "float32 2-d array": np.ones((2, 3), dtype="float32"),
    "0-d array": np.array(1),
    "string array": np.array(["abc"]),
    "object array": np.array([1, "a"], dtype=object),
    "dict of arrays": {"x": np.ones((2, 3)), "y": np.ones(2)},
    "frame int64": pd.DataFrame({"a": [1]}),
    "frame int32": pd.DataFrame({"a": np.array([1], dtype="int32")}),
    "frame int8": pd.DataFrame({"a": np.array([1], dtype="int8")}),
    "frame uint64": pd.DataFrame({"a": np.array([1], dtype="uint64")}),
    "frame uint32": pd.DataFrame({"a": np.array([1], dtype="uint32")}),
    "frame float32": pd.DataFrame({"a": np.array([1], dtype="float32")}),
    "frame with NaN": pd.DataFrame({"a": [1.0, np.nan]}),
    "frame str": pd.DataFrame({"a": ["x"]}),
    "frame str with None": pd.DataFrame({"a": ["x", None]}),
    "frame all None": pd.DataFrame({"a": [None]}),
    "frame datetime": pd.DataFrame({"a": [NOW]}),
    "frame tz datetime": pd.DataFrame({"a": pd.to_datetime(["2024-01-02"], utc=True)}),
    "frame category": pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
    "frame bytes": pd.DataFrame({"a": [b"x"]}),
    "frame bool": pd.DataFrame({"a": [True]}),
    "frame Int64 with NA": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "frame of lists": pd.DataFrame({"a": [[1], [2, 3]]}),
    "frame of dicts": pd.DataFrame({"a": [{"k": 1}]}),
    "frame of arrays": pd.DataFrame({"a": [np.array([1.0])]}),
    "frame mixed object": pd.DataFrame({"a": [1, "x"]}),
    "frame Decimal": pd.DataFrame({"a": [decimal.Decimal(1)]}),
    "frame date": pd.DataFrame({"a": [NOW.date()]}),
    "frame timedelta": pd.DataFrame({"a": pd.to_timedelta([1])}),
    "frame int column names": pd.DataFrame([[1, 2]]),
    "frame mixed column names": pd.DataFrame([[1, 2]], columns=["a", 0]),
    "frame duplicate column names": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "empty frame": pd.DataFrame(),
    "frame string dtype": pd.DataFrame({"a": pd.array(["x"], dtype="string")}),
    "frame complex": pd.DataFrame({"a": [1j]}),
    "Series": pd.Series([1], name="s"),
    "unnamed Series": pd.Series([1]),
    "set": {1},
    "tuple": (1, 2),
    "datetime": NOW,
    "object()": object(),
}


@pytest.mark.parametrize("case", CASES["infer.schema"], ids=lambda case: str(case["given"]))
def test_a_schema_is_inferred_as_by_mlflow(case: dict[str, Any]) -> None:
    if case["given"] == "frame Decimal":  # MLflow converts decimals to doubles, but infers no type
        assert infer_schema(EXAMPLES["frame Decimal"]) == Schema([ColSpec("double", "a")])
    elif "error" in case["expect"]:
        with pytest.raises(InvalidArgument):
            infer_schema(EXAMPLES[case["given"]])
    else:
        assert json.loads(infer_schema(EXAMPLES[case["given"]]).to_json()) == case["expect"]["ok"]


PARAMS: dict[str, Any] = {
    "scalars": {"a": 1, "b": 1.5, "c": "x", "d": True},
    "list of int": {"a": [1, 2]},
    "empty list": {"a": []},
    "mixed list": {"a": [1, "x"]},
    "None": {"a": None},
    "nested dict": {"a": {"b": 1}},
    "not a dict": [1],
    "ndarray": {"a": np.ones(1)},
    "2-d ndarray": {"a": np.ones((2, 2))},
    "datetime": {"a": NOW.date()},
    "bytes": {"a": b"x"},
}


@pytest.mark.parametrize("case", CASES["infer.params"], ids=lambda case: str(case["given"]))
def test_parameters_are_inferred_as_by_mlflow(case: dict[str, Any]) -> None:
    if "error" in case["expect"]:
        with pytest.raises(InvalidArgument):
            infer_signature(params=PARAMS[case["given"]])
    else:
        assert infer_signature(params=PARAMS[case["given"]]).to_dict() == case["expect"]["ok"]


@pytest.mark.parametrize("case", CASES["infer.signature"], ids=lambda case: str(case["given"]))
def test_a_signature_has_the_json_of_mlflow(case: dict[str, Any]) -> None:
    if "error" in case["expect"]:
        with pytest.raises(InvalidArgument):
            infer_signature(**case["given"])
    else:
        assert infer_signature(**case["given"]).to_dict() == case["expect"]["ok"]


BETTER_BUILT = {
    "schema.construct-007": {
        "type": "tensor",
        "tensor-spec": {"dtype": "float64", "shape": [-1]},
    },  # without NumPy
    "schema.construct-009": None,  # half a row
}


@pytest.mark.parametrize("case", CASES["schema.construct"], ids=lambda case: str(case["given"]))
def test_types_built_by_hand_are_accepted_or_refused_as_by_mlflow(case: dict[str, Any]) -> None:
    expected = BETTER_BUILT.get(case["id"], case["expect"].get("ok"))
    if expected is None:
        with pytest.raises(InvalidArgument):
            eval(case["given"])
    else:
        assert eval(case["given"]).to_dict() == expected


@pytest.mark.parametrize("case", CASES["param_spec.construct"], ids=lambda case: str(case["given"]))
def test_a_parameter_is_accepted_or_refused_as_by_mlflow(case: dict[str, Any]) -> None:
    if "error" in case["expect"]:
        with pytest.raises(InvalidArgument):
            ParamSpec(*case["given"])
    else:
        param = ParamSpec(*case["given"])
        assert param.to_dict() == case["expect"]["ok"]
        assert ParamSpec.from_json_dict(**param.to_dict()) == param


BASIC = st.sampled_from([kind for kind in DataType if kind is not DataType.binary])
NAMES = st.text(min_size=1, max_size=5)
TYPES = st.recursive(
    st.one_of(st.sampled_from(list(DataType)), st.just(AnyType()), st.just(SparkMLVector())),
    lambda inner: st.one_of(
        st.builds(Array, inner),
        st.builds(Map, inner),
        st.builds(
            lambda members: Object(
                [Property(name, kind, required) for name, (kind, required) in members.items()]
            ),
            st.dictionaries(NAMES, st.tuples(inner, st.booleans()), min_size=1, max_size=3),
        ),
    ),
    max_leaves=5,
)
COLUMNS = st.dictionaries(NAMES, st.tuples(TYPES, st.booleans()), min_size=1, max_size=4).map(
    lambda members: Schema(
        [ColSpec(kind, name, required) for name, (kind, required) in members.items()]
    )
)


@settings(deadline=None, max_examples=50)
@given(COLUMNS)
def test_every_schema_survives_a_round_trip_through_json(schema: Schema) -> None:
    assert Schema.from_json(schema.to_json()) == schema
    assert pickle.loads(pickle.dumps(schema)) == schema


@settings(deadline=None, max_examples=50)
@given(TYPES, TYPES)
def test_merging_is_the_same_both_ways_or_refused_both_ways(one: Any, other: Any) -> None:
    def merged(*types: Any) -> Any:
        try:
            return merge(*types)
        except InvalidArgument:
            return None

    assert merged(one, other) == merged(other, one)
    assert merged(one, one) == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "{}",
        "[1]",
        "[{}]",
        '[{"type": "nosuch"}]',
        '[{"type": "array"}]',
        '[{"type": "map"}]',
        '[{"type": "object", "properties": []}]',
        '[{"type": "array", "items": 5}]',
        '[{"type": "tensor"}]',
        '[{"type": "tensor", "tensor-spec": {"dtype": "nosuch", "shape": []}}]',
        "[" * 100_000,
    ],
)
def test_a_text_that_is_not_a_schema_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        Schema.from_json(text)


def test_the_parts_of_a_schema_are_accessible() -> None:
    schema = Schema([ColSpec("long", "a"), ColSpec(Array("string"), "b", required=False)])

    assert (schema.input_names(), schema.required_input_names(), schema.optional_input_names()) == (
        ["a", "b"],
        ["a"],
        ["b"],
    )
    assert schema.input_types_dict() == {"a": DataType.long, "b": Array("string")}
    assert Schema([ColSpec("string"), ColSpec("long")]).pandas_types() == [
        np.dtype(object),
        np.dtype("int64"),
    ]
    assert Schema([ColSpec("string"), ColSpec("long")]).input_names() == [0, 1]
    assert Schema([TensorSpec(np.dtype("float32"), [-1, 2])]).numpy_types() == [np.dtype("float32")]
    with pytest.raises(InvalidArgument):
        schema.numpy_types()


def test_types_are_printed_as_in_mlflow() -> None:
    kind = Object([Property("b", "long"), Property("a", Array("string"), required=False)])

    assert repr(kind) == "{a: Array(string) (optional), b: long (required)}"
    assert repr(Schema([ColSpec(Map("long"), "m")])) == "['m': Map(str -> long) (required)]"
    assert repr(TensorSpec(np.dtype("float64"), (-1, 2), "x")) == "'x': Tensor('float64', (-1, 2))"
    assert repr(ParamSpec("t", "double", 1)) == "'t': double (default: 1.0)"
    assert (
        repr(infer_signature([1]))
        == "inputs: \n  [long (required)]\noutputs: \n  None\nparams: \n  None\n"
    )


@pytest.mark.parametrize(
    "make", [scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.csr_array]
)
def test_a_sparse_matrix_is_a_tensor(make: Any) -> None:
    assert infer_schema(make(np.ones((2, 3)))) == Schema([TensorSpec("float64", (-1, 3))])


def test_a_column_without_a_type_is_reported_and_does_not_become_any() -> None:
    frame = pd.DataFrame({"fine": [1], "wide": np.array([1], dtype="uint64")})

    with pytest.raises(
        InvalidArgument, match=r"`wide`: A signature has no type for values of uint64\. Convert it"
    ):
        infer_signature(frame)


class Inner(pydantic.BaseModel):
    score: float
    tags: list[str] | None = None


class Row(pydantic.BaseModel):
    id: int
    inner: Inner
    extra: dict[str, int] = {}


@dataclasses.dataclass
class Message:
    role: str
    at: datetime.datetime | None
    weights: list[float]
    by_name: dict[str, int]


INNER = Object([Property("score", "double"), Property("tags", Array("string"), required=False)])


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (list[str], "string"),
        (list[int], "long"),
        (list[bytes], "binary"),
        (list[datetime.datetime], "datetime"),
        (list[list[float]], Array("double")),
        (list[dict[str, bool]], Map("boolean")),
        (list[dict[str, list[str]]], Map(Array("string"))),
        (list[Any], AnyType()),
        (list[int | str], AnyType()),
        (list[Annotated[int, "years"]], "long"),
        (
            list[Row],
            Object(
                [Property("id", "long"), Property("inner", INNER), Property("extra", Map("long"))]
            ),
        ),
        (Inner, INNER),
        (str, "string"),
    ],
    ids=str,
)
def test_type_hints_describe_a_row(hint: Any, kind: Any) -> None:
    assert infer_signature(model_input=hint).inputs == Schema([ColSpec(kind)])


@pytest.mark.parametrize(
    "hint",
    [list, dict, list[dict[int, str]], list[set[int]], str | None, list[str | None]],
    ids=str,
)
def test_incomplete_type_hints_are_refused(hint: Any) -> None:
    with pytest.raises(InvalidArgument):
        infer_signature(hint)


def test_a_predict_function_with_an_unknown_type_has_no_signature_and_a_warning() -> None:
    def predict(model_input: list[np.ndarray]) -> list[str]:
        return list(map(str, model_input))

    with pytest.warns(
        UserWarning,
        match="Failed to infer signature from type hint: Unsupported type hint `ndarray`",
    ):
        assert infer_signature_from_type_hints(predict) is None


def test_a_dataclass_is_a_schema_of_its_fields() -> None:
    expected = Schema(
        [
            ColSpec("string", "role"),
            ColSpec("datetime", "at", required=False),
            ColSpec(Array("float"), "weights"),
            ColSpec(Map("long"), "by_name"),
        ]
    )
    message = Message("user", None, [], {})

    assert ModelSignature(Message).inputs == expected  # type: ignore[arg-type]
    assert infer_signature(message, Message) == ModelSignature(expected, expected)


def test_a_pydantic_model_is_inferred_from_its_class() -> None:
    assert infer_signature(Inner(score=1)).inputs == Schema([ColSpec(INNER)])


class Predicts:
    def with_context(
        self, context: Any, model_input: list[str], params: dict[str, Any] | None = None
    ) -> list[int]:
        return []

    def plain(self, model_input: list[Inner]) -> object:
        return None

    def of_frames(self, model_input: pd.DataFrame) -> np.ndarray:
        return np.ones(1)

    def bare(self, model_input, params=None):  # type: ignore[no-untyped-def]
        return None


def test_a_predict_function_with_type_hints_has_a_signature() -> None:
    model = Predicts()

    assert infer_signature_from_type_hints(model.with_context, {"t": 1}) == ModelSignature(
        Schema([ColSpec("string")]),
        Schema([ColSpec("long")]),
        ParamSchema([ParamSpec("t", "long", 1)]),
        from_type_hint=True,
    )
    assert infer_signature_from_type_hints(model.plain) == ModelSignature(
        Schema([ColSpec(INNER)]), Schema([ColSpec(AnyType())]), from_type_hint=True
    )
    assert infer_signature_from_type_hints(model.of_frames) is None
    assert infer_signature_from_type_hints(model.bare) is None


def test_nested_defaults_survive_a_round_trip_through_json() -> None:
    examples = {
        "o": {
            "when": datetime.datetime(2024, 1, 2, 3),
            "raw": b"\x00",
            "inner": {"day": datetime.date(2024, 1, 2)},
        }
    }
    params = infer_signature(params=examples).params
    assert params is not None
    read = ParamSchema.from_json(params.to_json())

    assert read.to_json() == params.to_json()
    assert read.params[0].default["raw"] == b"\x00"


@pytest.mark.parametrize("wrong", [[pd.NaT], None])
def test_a_list_of_parameters_cannot_contain_missing_values(wrong: Any) -> None:
    with pytest.raises(InvalidArgument):
        infer_signature(params={"when": wrong})
    with pytest.raises(InvalidArgument):
        ParamSpec("when", "datetime", wrong, (-1,))


def test_signatures_of_early_files_are_read() -> None:
    early = {"inputs": '[{"name": "a", "type": "double"}]', "outputs": None}

    signature = ModelSignature.from_dict(early)

    assert signature.inputs == Schema([ColSpec("double", "a")])
    assert signature.to_dict()["params"] is None
    assert from_dict({"type": "sparkml_vector"}) == SparkMLVector()
