"""Python models, saved, and loaded in this process."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import envkit
from envkit import pyfunc
from envkit.errors import InputMismatch, InvalidArgument, InvalidFile, ModelRaised, ToolNotFound
from envkit.flavors import sklearn
from envkit.models import ColSpec, Model, ModelConfig, ModelSignature, Schema
from envkit.pyfunc import artifacts

pytestmark = pytest.mark.e2e

FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
ASKED = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}


def test_a_model_has_its_artifacts_configuration_and_parameters(saved: Path) -> None:
    model = pyfunc.load_model(saved / "scaled")

    pd.testing.assert_frame_equal(model.predict(FRAME, {"plus": 1}), FRAME * 6 + 1)
    assert model.model_config == {"times": 2, "unused": 1}
    assert type(model.unwrap_python_model()).__name__ == "Scaled"
    with pytest.raises(InputMismatch, match="plus"):
        model.predict(FRAME, {"plus": "much"})
    with pytest.raises(InputMismatch, match="`b`"):
        model.predict(FRAME[["a"]])


def test_values_of_the_configuration_are_replaced_when_the_model_is_loaded(
    saved: Path, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("times: 10\nunknown: 1\n")
    model = pyfunc.load_model(saved / "scaled", model_config=path)

    assert model.model_config == {"times": 10, "unused": 1}
    assert model.predict(FRAME)["a"].tolist() == [30.0, 60.0]


def test_type_hints_are_the_signature_and_decide_what_predict_gets(saved: Path) -> None:
    model = pyfunc.load_model(saved / "upper")

    assert model.predict(["a", "b"]) == ["A", "B"]
    assert list(model.predict_stream(["a", "b"])) == ["A", "B"]
    assert model.metadata.signature is not None
    assert model.metadata.signature.from_type_hint
    assert model.metadata.metadata == {"by": "me"}


def test_a_data_frame_or_csv_is_a_list_for_a_type_hint_and_other_types_are_refused(
    saved: Path, tmp_path: Path
) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("text\na\nNA\n")
    model = pyfunc.load_model(saved / "upper")

    assert model.predict(pd.DataFrame({"text": ["a", "b"]})) == ["A", "B"]
    assert envkit.predict(saved / "upper", input_path=table, content_type="csv") == ["A", "NA"]
    with pytest.raises(InputMismatch, match="Expected type str, but got int"):
        model.predict(["a", 1])


def takes_nothing() -> int:
    return 1


def takes_two(one: Any, two: Any) -> Any:
    return one, two


class Silent(pyfunc.PythonModel):
    """Has no `predict`."""


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (takes_nothing, "exactly one argument besides `params`; found 0"),
        (takes_two, "exactly one argument besides `params`; found 2"),
        (Silent(), "has no `predict`; define it in Silent"),
        (Silent, "not a class; write Silent"),
    ],
)
def test_what_cannot_predict_is_not_saved(model: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        pyfunc.save_model(tmp_path / "model", python_model=model)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("set_model(Silent())", "has no `predict`"),
        ("set_model(Silent)", "not the class Silent"),
        ("set_model(lambda: 1)", "found 0 arguments"),
        ("ModelConfig(development_config='dev.yml')", "Config file is not provided"),
        ("ModelConfig()", "Config file is not provided"),
    ],
)
def test_code_without_a_model_or_a_configuration_is_not_saved(
    code: str, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "code.py"
    file.write_text(
        "from envkit.models import ModelConfig, set_model\nfrom envkit.pyfunc import PythonModel\n"
        f"class Silent(PythonModel): pass\n{code}\n"
    )
    with pytest.raises(InvalidArgument, match=problem):
        pyfunc.save_model(tmp_path / "model", python_model=file)


def test_a_configuration_for_development_is_replaced_by_that_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "dev.yml").write_text("times: 1")
    (tmp_path / "saved.yml").write_text("times: 3")
    (tmp_path / "broken.yml").write_text("times: [")
    file = tmp_path / "code.py"
    file.write_text(
        "from envkit.models import ModelConfig, set_model\n"
        f"config = ModelConfig(development_config={str(tmp_path / 'dev.yml')!r})\n"
        "set_model(lambda data: data * config.get('times'))\n"
    )
    pyfunc.save_model(
        tmp_path / "model",
        python_model=file,
        model_config=tmp_path / "saved.yml",
        input_example=FRAME,
    )

    assert pyfunc.load_model(tmp_path / "model").predict(FRAME)["a"].tolist() == [3.0, 6.0]
    assert ModelConfig(development_config=str(tmp_path / "dev.yml")).to_dict() == {"times": 1}
    assert ModelConfig(development_config={"a": 1}).get("a") == 1
    with pytest.raises(FileNotFoundError, match="not found"):
        ModelConfig(development_config="missing.yml")
    with pytest.raises(ValueError, match="Error parsing YAML"):
        ModelConfig(development_config=str(tmp_path / "broken.yml")).get("times")
    with pytest.raises(InvalidArgument, match="missing"):
        pyfunc.save_model(tmp_path / "m", python_model=file, model_config="missing.yml")


def test_a_chat_model_takes_a_request_and_returns_a_completion(saved: Path) -> None:
    model = pyfunc.load_model(saved / "shout")
    message = {"role": "assistant", "content": "HI"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}

    assert model.predict(ASKED) == {
        "id": "1",
        "model": "m",
        "created": 5,
        "object": "chat.completion",
        "choices": [choice],
    }
    assert model.loader_module == "mlflow.pyfunc.loaders.chat_model"
    with pytest.raises(InvalidArgument, match="not streamable"):
        model.predict_stream(ASKED)


def test_a_chat_model_without_predict_stream_answers_in_one_piece() -> None:
    class Echo(pyfunc.ChatModel):
        def predict(self, messages: Any, params: Any) -> Any:  # type: ignore[override]
            return messages

    assert list(Echo().predict_stream(None, ["hi"], pyfunc.ChatParams())) == [["hi"]]


@pytest.mark.parametrize("name", ["double", "code"])
def test_functions_and_python_files_are_models(saved: Path, name: str) -> None:
    model = pyfunc.load_model(saved / name, suppress_warnings=True)

    pd.testing.assert_frame_equal(model.predict(FRAME), FRAME * 2)


def test_versions_that_differ_from_the_models_environment_are_named(saved: Path) -> None:
    with pytest.warns(UserWarning, match=r"six \(here: .*, required: 0.0.1\)"):
        pyfunc.load_model(saved / "double")


def test_a_stated_requirement_is_added_to_the_captured_ones(saved: Path) -> None:
    lines = (saved / "double" / "requirements.txt").read_text().splitlines()

    assert "six==0.0.1" in lines
    assert any(line.startswith("pandas==") for line in lines)
    assert not (saved / "double" / "pylock.toml").exists()


@pytest.mark.parametrize("name", ["scaled", "upper", "shout", "double", "code"])
def test_what_is_saved_requires_neither_envkit_nor_mlflow(saved: Path, name: str) -> None:
    lines = (saved / name / "requirements.txt").read_text() + (
        saved / name / "constraints.txt"
    ).read_text()

    assert "envkit" not in lines
    assert "mlflow" not in lines


@pytest.mark.parametrize("name", ["scaled", "upper", "shout", "double"])
def test_pickles_load_where_envkit_is_not_installed(saved: Path, name: str, tmp_path: Path) -> None:
    """Load the pickle as MLflow does, with cloudpickle and by its attributes."""
    import cloudpickle

    place = Path(cloudpickle.__file__).parent.parent
    program = (
        "import sys, pickle, importlib.util; sys.path.append(sys.argv[2])\n"
        "assert importlib.util.find_spec('envkit') is None\n"
        "model = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(hasattr(model, 'load_context'), model.predict_type_hints.input)\n"
    )
    with zipfile.ZipFile(tmp_path / "only.zip", "w") as archive:
        for file in (place / "cloudpickle").glob("*.py"):
            archive.write(file, f"cloudpickle/{file.name}")
    pickled = saved / name / "python_model.pkl"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", program, pickled, tmp_path / "only.zip"],
        check=True,
        stdout=subprocess.PIPE,
    )

    assert done.stdout.decode().split()[0] == "True"


@pytest.mark.parametrize("name", ["scaled", "upper", "shout", "code"])
def test_the_code_of_a_saved_model_has_no_findings(saved: Path, name: str) -> None:
    assert envkit.validate(saved / name, select=["ENV2"]).findings == ()


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text("def _load_pyfunc(path):\n    raise KeyError('gone')\n")

    with pytest.raises(ModelRaised, match="gone"):
        pyfunc.save_model(
            tmp_path / "model", loader_module="failing", code_paths=[tmp_path / "failing.py"]
        )

    assert [path.name for path in tmp_path.iterdir()] == ["failing.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either python_model, or loader_module with data_path"),
        (
            {"python_model": len, "loader_module": "x"},
            "either python_model, or loader_module with data_path",
        ),
        ({"python_model": len, "data_path": "."}, "A python_model has no data_path"),
        ({"loader_module": "x", "artifacts": {}}, "A loader_module has no artifacts"),
        ({"python_model": dict}, "write dict()"),
        ({"python_model": 5}, "not a int"),
        ({"python_model": "nowhere.py"}, "no file nowhere.py"),
        ({"python_model": len, "pip_requirements": [], "conda_env": {}}, "only one of"),
        ({"python_model": len, "pip_requirements": "nowhere.txt"}, "no file nowhere.txt"),
        (
            {"python_model": len, "extra_pip_requirements": ["./x.whl"]},
            "exists only on this machine",
        ),
        (
            {"python_model": len, "pip_requirements": ["attrs --config-settings=a=b"]},
            "only pip knows",
        ),
        ({"python_model": len, "code_paths": "x.py"}, "list of files"),
        ({"python_model": len, "code_paths": ["nowhere.py"]}, "nowhere.py"),
        ({"python_model": len, "model_config": "nowhere.yaml"}, "model_config"),
        ({"python_model": len, "artifacts": {"a": "nowhere.txt"}}, "nowhere.txt"),
        ({"python_model": len, "signature": 5}, "ModelSignature"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        pyfunc.save_model(tmp_path / "model", **arguments)

    assert message in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_empty_is_not_written_to(saved: Path) -> None:
    with pytest.raises(InvalidArgument, match="not empty"):
        pyfunc.save_model(saved / "double", python_model=len)


def test_a_conda_environment_is_written_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "class M:\n    predict = staticmethod(len)\ndef _load_pyfunc(path):\n    return M()\n"
    )
    environment = {"name": "mine", "dependencies": ["python=3.11.7", {"pip": ["pandas"]}]}
    pyfunc.save_model(
        tmp_path / "model",
        loader_module="own",
        code_paths=[tmp_path / "own.py"],
        conda_env=environment,
    )

    assert "name: mine" in (tmp_path / "model" / "conda.yaml").read_text()
    assert (tmp_path / "model" / "requirements.txt").read_text() == "pandas\n-c constraints.txt\n"
    assert f"pandas=={pd.__version__}" in (tmp_path / "model" / "constraints.txt").read_text()


def test_the_library_that_reads_the_pickle_is_required_even_if_not_stated(tmp_path: Path) -> None:
    (tmp_path / "some lines.txt").write_text("pandas\n")
    pyfunc.save_model(
        tmp_path / "model", python_model=len, pip_requirements=tmp_path / "some lines.txt"
    )
    lines = (tmp_path / "model" / "requirements.txt").read_text().splitlines()

    assert lines == [*pyfunc.get_default_pip_requirements(), "pandas", "-c constraints.txt"]


CONFIGURED = """
import mlflow
from mlflow.models import ModelConfig, set_model
config = ModelConfig(development_config={"a": 1})
class M(mlflow.pyfunc.PythonModel):
    def predict(self, model_input):
        return [config.get("a")]
set_model(M())
"""


def test_code_written_for_mlflow_is_saved_where_mlflow_is_not_installed(
    tmp_path: Path,
) -> None:
    (tmp_path / "written.py").write_text(CONFIGURED)
    pyfunc.save_model(
        tmp_path / "model", python_model=tmp_path / "written.py", model_config={"a": 5}
    )

    assert pyfunc.load_model(tmp_path / "model").predict([0]) == [5]
    with pytest.raises(InvalidArgument, match="former name"):
        pyfunc.save_model(tmp_path / "x", python_model=len, code_path=["a"], code_paths=["b"])


def test_code_outside_the_model_is_reported_or_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outer.py").write_text("import inner\ndef _load_pyfunc(path):\n    return inner\n")
    (tmp_path / "inner.py").write_text("def predict(data): return data\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.warns(UserWarning, match="inner"):
        pyfunc.save_model(tmp_path / "a", loader_module="outer", code_paths=[tmp_path / "outer.py"])
    pyfunc.save_model(tmp_path / "b", loader_module="outer", infer_code_paths=True)

    assert sorted(path.name for path in (tmp_path / "b" / "code").iterdir()) == [
        "inner.py",
        "outer.py",
    ]


def test_an_estimator_is_saved_and_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.linear_model import LinearRegression

    monkeypatch.setenv("UV_OFFLINE", "1")
    estimator = LinearRegression().fit(FRAME, [1.0, 2.0])
    with pytest.warns(UserWarning, match="used pandas"):
        sklearn.save_model(
            estimator, tmp_path / "model", input_example=FRAME, pip_requirements=["scikit-learn"]
        )
    model = pyfunc.load_model(tmp_path / "model")

    assert model.predict(FRAME).tolist() == pytest.approx([1.0, 2.0])
    assert (
        type(model.get_raw_model())
        is type(sklearn.load_model(tmp_path / "model"))
        is LinearRegression
    )
    assert isinstance(Model.load(tmp_path / "model").signature, ModelSignature)
    assert isinstance(model.output_schema, Schema)
    assert (
        tmp_path / "model" / "requirements.txt"
    ).read_text() == "scikit-learn\n-c constraints.txt\n"


def test_forwarded_parameters_are_shown_in_signatures(saved: Path) -> None:
    names = set(inspect.signature(pyfunc.save_model).parameters)

    assert {
        "python_model",
        "code_paths",
        "infer_code_paths",
        "pip_requirements",
        "resources",
        "streamable",
    } <= names
    with pytest.raises(TypeError, match="no_such"):
        pyfunc.save_model("x", python_model=len, no_such=1)  # type: ignore[call-arg]


def test_logging_needs_mlflows_client() -> None:
    with pytest.raises(ToolNotFound, match="mlflow-skinny"):
        pyfunc.log_model("model", python_model=len)


def test_importing_a_namespace_imports_no_third_party_package() -> None:
    program = (
        "import sys; before = set(sys.modules); import envkit\n"
        "envkit.pyfunc.FLAVOR_NAME, envkit.models.__name__, envkit.flavors.__name__\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, env=dict(os.environ)
    )

    assert done.stdout.split() == [b"envkit"]
    assert envkit.pyfunc is pyfunc


def test_artifacts_are_fetched_from_uris(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe(
        {"/place/words/a.txt": b"A", "/place/words/more/b.txt": b"B", "/place/one.txt": b"1"}
    )
    fields = artifacts.copy(
        {"folder": "memory://place/words", "file": "memory://place/one.txt"}, tmp_path
    )

    assert fields["file"] == {"path": "artifacts/one.txt", "uri": "memory://place/one.txt"}
    assert (tmp_path / fields["folder"]["path"] / "more" / "b.txt").read_text() == "B"
    assert [path.name for path in tmp_path.iterdir()] == ["artifacts"]


def test_artifacts_of_the_same_name_get_separate_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(folder)
    fields = artifacts.copy(
        {"one": tmp_path / "a" / "x.txt", "two": tmp_path / "b" / "x.txt"}, tmp_path / "model"
    )

    assert [(tmp_path / "model" / field["path"]).read_text() for field in fields.values()] == [
        "a",
        "b",
    ]


def test_a_pickle_is_not_read_where_that_is_forbidden(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")

    with pytest.raises(RuntimeError, match=r"python_model\.pkl is a pickle"):
        pyfunc.load_model(saved / "upper")
    assert pyfunc.load_model(saved / "code").predict(FRAME)["a"].tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ([{"a": 1.0, "b": 3.0}], "csv"),
        ({"a": [1.0], "b": [3.0]}, "csv"),
        ("a,b\n1,3\n", "csv"),
        ({"dataframe_records": [{"a": 1.0, "b": 3.0}]}, "json"),
    ],
)
def test_input_data_may_be_text_a_list_or_a_dict(saved: Path, data: Any, content_type: str) -> None:
    predictions = envkit.predict(saved / "code", data, content_type=content_type)

    assert predictions == [{"a": 2.0, "b": 6.0}]


def test_a_text_that_is_no_request_is_the_input(saved: Path) -> None:
    with pytest.raises(InvalidFile, match="Expected list, but got str"):
        envkit.predict(saved / "upper", "just a text")
    assert envkit.predict(saved / "upper", ["a"]) == ["A"]


def test_one_value_for_each_row_of_a_table_is_one_column(tmp_path: Path) -> None:
    pyfunc.save_model(
        tmp_path / "m", python_model=lambda data: data["a"].to_numpy(), input_example=FRAME
    )
    signature = Model.load(tmp_path / "m").signature

    assert signature is not None
    assert signature.outputs == Schema([ColSpec("double")])


Form: Any = pyfunc.TypeFromExample


class Forms(pyfunc.PythonModel):
    def predict(self, model_input: Form) -> list[str]:  # type: ignore[override]
        kind = type(model_input).__name__
        return [f"{kind} of {item!r}" for item in model_input]


@pytest.mark.parametrize(
    ("example", "data", "expected"),
    [
        ([1, 2], [3], ["list of 3"]),
        ([1, 2], pd.DataFrame({0: [3]}), ["list of 3"]),
        ([{"a": 1}], pd.DataFrame({"a": [3]}), ["list of {'a': 3}"]),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [3]}), ["DataFrame of 'a'"]),
    ],
)
def test_the_input_has_the_form_of_the_example(
    example: Any, data: Any, expected: list[str], tmp_path: Path
) -> None:
    pyfunc.save_model(tmp_path / "m", python_model=Forms(), input_example=example)
    signature = Model.load(tmp_path / "m").signature

    assert signature is not None
    assert signature.from_example
    assert pyfunc.load_model(tmp_path / "m").predict(data) == expected


def test_an_example_that_has_no_form_is_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"Input example must be one of pandas\.DataFrame"):
        pyfunc.save_model(tmp_path / "m", python_model=lambda_of_example)


def lambda_of_example(data: Form) -> list[int]:
    return [1]
