"""`Model`: the content of an `MLmodel` file, created, changed, read and written."""

from __future__ import annotations

import io
import json
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import yaml

import envkit.models
from envkit.errors import InvalidArgument, InvalidFile, InvalidInput, ModelNotFound, ToolNotFound
from envkit.inside.author.registry import registered_by
from envkit.models import (
    Model,
    ModelSignature,
    ParamSchema,
    ParamSpec,
    get_model_info,
    infer_signature,
    input_example,
    set_model,
)
from tests.builders.fixture_models import FIXTURES, MODELS
from tests.builders.mlmodel_texts import CURRENT, OLD

SIGNATURE = infer_signature(pd.DataFrame({"a": [1.5]}), [1.5], {"t": 0.5})
FLAVOR = {"loader_module": "mlflow.sklearn", "python_version": "3.11.7"}


def full() -> Model:
    return Model(
        artifact_path="model",
        run_id="r1",
        signature=SIGNATURE,
        saved_input_example_info={"artifact_path": "input_example.json", "type": "dataframe"},
        mlflow_version="3.17.2",
        metadata={"owner": "me"},
        model_size_bytes=3,
        resources={"api_version": "1"},
        env_vars=["TOKEN"],
        auth_policy={"user": 1},
        model_id="m-1",
        prompts=["prompts:/p/1"],
    ).add_flavor("python_function", **FLAVOR)


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    model = full()

    model.save(tmp_path / "MLmodel")

    assert Model.load(tmp_path) == Model.load(str(tmp_path / "MLmodel")) == model
    assert list(yaml.safe_load((tmp_path / "MLmodel").read_text())) == sorted(model.to_dict())
    assert Model.from_dict(model.to_dict()) == model
    assert Model.from_dict(json.loads(model.to_json())) == model
    assert [path.name for path in tmp_path.iterdir()] == ["MLmodel"]


@pytest.mark.parametrize("text", [CURRENT.replace("yes", "true"), OLD], ids=["current", "old"])
def test_files_of_every_mlflow_version_lose_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    before = yaml.load(text, Loader=yaml.BaseLoader)

    Model.load(tmp_path).save(tmp_path)

    after = yaml.load((tmp_path / "MLmodel").read_text(), Loader=yaml.BaseLoader)
    added = {
        "model_uuid",
        "model_id",
        "prompts",
        "is_signature_from_type_hint",
        "type_hint_from_example",
    }
    assert {key: value for key, value in after.items() if key in before} == {**before}
    assert set(after) - set(before) <= added


@pytest.mark.parametrize("name", MODELS)
def test_the_fixtures_that_mlflow_saved_are_read(name: str) -> None:
    path = FIXTURES / name / "model"
    model = Model.load(path)

    assert (
        yaml.safe_load(model.to_yaml()).items()
        >= yaml.safe_load((path / "MLmodel").read_text()).items()
    )
    assert get_model_info(path).flavors == model.flavors
    if model.saved_input_example_info:
        assert model.load_input_example(path) is not None
        assert json.loads(model.get_serving_input(path) or "")


def test_a_new_model_has_its_time_and_a_unique_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    one, other = Model(), Model()

    assert one.utc_time_created == "1970-01-01 00:00:00"
    assert one.model_uuid != other.model_uuid
    assert list(one.to_dict()) == [
        "flavors",
        "model_id",
        "model_uuid",
        "prompts",
        "utc_time_created",
    ]


def test_schemas_are_those_of_the_signature() -> None:
    model = full()

    assert model.get_input_schema() == SIGNATURE.inputs
    assert model.get_output_schema() == SIGNATURE.outputs
    assert model.get_params_schema() == ParamSchema([ParamSpec("t", "double", 0.5)])
    assert (
        Model().get_input_schema(),
        Model().get_output_schema(),
        Model().get_params_schema(),
    ) == (None, None, None)
    assert Model(signature=SIGNATURE.to_dict()).signature == SIGNATURE  # type: ignore[arg-type]


def test_the_flags_of_a_signature_stay_with_it() -> None:
    signature = ModelSignature(SIGNATURE.inputs, from_type_hint=True)
    written = Model(signature=signature).to_dict()

    assert (written["is_signature_from_type_hint"], written["type_hint_from_example"]) == (
        True,
        False,
    )
    assert Model.from_dict(written).signature == signature


def test_a_model_is_written_to_streams_and_converted_to_text() -> None:
    stream = io.StringIO()
    model = full()

    assert model.to_yaml(stream) == stream.getvalue() == str(model)


def test_resources_are_read_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(
        "api_version: '1'\ndatabricks:\n  genie_space:\n  - name: x\n"
    )

    assert Model(resources=tmp_path / "resources.yaml").resources["databricks"] == {
        "genie_space": [{"name": "x"}]
    }


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("flavors: 5", "flavors"),
        ("flavors: {}\nsignature: {inputs: '[{}]'}", "signature"),
        ("flavors: {}\nsignature: {inputs: 'x'}", "signature"),
        ("flavors: {}\nenv_vars: x", "env_vars"),
    ],
)
def test_a_fault_of_the_file_is_reported_with_its_field(
    tmp_path: Path, content: str, where: str
) -> None:
    (tmp_path / "MLmodel").write_text(content)

    with pytest.raises(InvalidFile) as caught:
        Model.load(tmp_path)

    assert caught.value.where == where
    assert caught.value.path.endswith("MLmodel")


def test_invalid_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        Model(env_vars="TOKEN")  # type: ignore[arg-type]
    with pytest.raises(ModelNotFound):
        Model.load(tmp_path)
    with pytest.raises(InvalidInput):
        Model().save(tmp_path / "no" / "such" / "MLmodel")
    with pytest.raises(InvalidFile):
        Model().add_flavor("python_function", code="code").save(tmp_path)
    with pytest.raises(InvalidArgument, match="float64"):
        Model(metadata={"score": np.float64(0.5)}).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_logging_without_mlflow_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(ToolNotFound, match=r"pip install 'envkit\[mlflow\]'"):
        Model.log("model", flavor=None)


EXAMPLES: list[tuple[Any, str, Any]] = [
    (
        pd.DataFrame({"a": [1.5], "b": ["x"]}),
        "dataframe",
        {"columns": ["a", "b"], "data": [[1.5, "x"]]},
    ),
    (pd.DataFrame([[1, 2]]), "dataframe", {"data": [[1, 2]]}),
    (pd.DataFrame({"a": [1.5, np.nan]}), "dataframe", {"columns": ["a"], "data": [[1.5], [None]]}),
    (
        pd.DataFrame({"a": [b"hi"], "d": pd.to_datetime(["2024-01-02"])}),
        "dataframe",
        {"columns": ["a", "d"], "data": [["aGk=\n", "2024-01-02T00:00:00"]]},
    ),
    (np.array([[1.5, np.inf]]), "ndarray", [[1.5, None]]),
    ({"x": np.array([1]), "y": np.array(["a"])}, "ndarray", {"x": [1], "y": ["a"]}),
    ({"a": 1, "b": ["x"]}, "json_object", {"a": 1, "b": ["x"]}),
    ([1, 2], "json_object", [1, 2]),
    ("hello", "json_object", "hello"),
    (
        scipy.sparse.csr_matrix([[0, 1]]),
        "sparse_matrix_csr",
        {"data": [1], "indices": [1], "indptr": [0, 1], "shape": [1, 2]},
    ),
]


@pytest.mark.parametrize(("example", "kind", "saved"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_an_input_example_is_saved_and_read_back(
    tmp_path: Path, example: Any, kind: str, saved: Any
) -> None:
    encoded = input_example.encode((example, {"t": 1}))
    model = Model(saved_input_example_info=encoded.info)
    model.save(tmp_path / "MLmodel")
    for name, text in encoded.files.items():
        (tmp_path / name).write_text(text)

    assert (encoded.info["type"], encoded.info["params"]) == (kind, "true")
    assert json.loads(encoded.files["input_example.json"]) == {"inputs": saved, "params": {"t": 1}}
    assert model.load_input_example_params(tmp_path) == {"t": 1}
    read = model.load_input_example(tmp_path)
    assert type(read) is type(example)
    assert input_example.encode(read).files["input_example.json"] == json.dumps(saved)
    request = json.loads(model.get_serving_input(tmp_path) or "")
    assert request["params"] == {"t": 1}
    assert "NaN" not in encoded.files["input_example.json"]


def test_columns_of_an_example_get_the_types_of_the_signature(tmp_path: Path) -> None:
    example = pd.DataFrame({"a": np.array([1], dtype="int32"), "b": [b"hi"]})
    encoded = input_example.encode(example)
    model = Model(saved_input_example_info=encoded.info, signature=infer_signature(example))
    model.save(tmp_path / "MLmodel")
    (tmp_path / "input_example.json").write_text(encoded.files["input_example.json"])

    pd.testing.assert_frame_equal(model.load_input_example(tmp_path), example)


def test_a_chat_is_a_request_by_itself() -> None:
    encoded = input_example.encode({"messages": [{"role": "user", "content": "hi"}]})

    assert json.loads(encoded.files["serving_input_example.json"]) == {
        "messages": [{"role": "user", "content": "hi"}]
    }


@pytest.mark.parametrize(
    "example", [{1, 2}, {"a": np.array([1]), "b": 1}, pd.Timedelta(1), (1, {"p": None})]
)
def test_an_example_that_json_cannot_hold_is_refused(example: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^(?!.*the model's answer)"):
        input_example.encode(example)


def test_a_missing_or_broken_example_is_reported(tmp_path: Path) -> None:
    model = Model(
        saved_input_example_info={"artifact_path": "input_example.json", "type": "json_object"}
    )
    model.save(tmp_path / "MLmodel")

    with pytest.raises(InvalidFile, match="is missing"):
        model.load_input_example(tmp_path)
    (tmp_path / "input_example.json").write_text("{")
    with pytest.raises(InvalidFile, match="is not valid JSON"):
        model.load_input_example(tmp_path)
    assert Model().load_input_example(tmp_path) is None


class Predicts:
    def predict(self, data: Any) -> Any:
        return data


def test_each_thread_registers_its_own_model() -> None:
    is_own_model: dict[int, Any] = {}
    together = threading.Barrier(8)

    def code(model: Any) -> None:
        set_model(model)
        together.wait(10)

    def make(number: int) -> None:
        model = Predicts()
        is_own_model[number] = registered_by(lambda: code(model)) is model

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert is_own_model == dict.fromkeys(range(8), True)


def test_a_file_that_registers_nothing_does_not_get_the_model_of_another() -> None:
    set_model(Predicts())

    assert registered_by(lambda: None) is None
    assert registered_by(lambda: registered_by(lambda: set_model(len))) is None


@pytest.mark.parametrize("model", ["path/to/code.py", 5, None])
def test_only_a_model_can_be_registered(model: Any) -> None:
    with pytest.raises(InvalidArgument, match="set_model takes a model"):
        set_model(model)


def test_every_public_name_exists_and_is_imported_on_first_use() -> None:
    assert all(getattr(envkit.models, name) is not None for name in envkit.models.__all__)
    assert set(envkit.models.__all__) <= set(dir(envkit.models))
    with pytest.raises(AttributeError):
        envkit.models.nosuch  # noqa: B018
