from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from envkit.errors import InvalidFile
from envkit.formats import mlmodel
from tests.builders.files import Write
from tests.builders.mlmodel_texts import CURRENT, OLD


def test_what_envkit_needs_is_read_from_a_current_file(write: Write) -> None:
    model = mlmodel.read(write({"MLmodel": CURRENT}))

    flavor = model.python_function
    assert flavor is not None
    assert (flavor.loader_module, flavor.code, flavor.data) == ("mlflow.pyfunc.model", None, None)
    assert (flavor.conda_env, flavor.python_env) == ("conda.yaml", "python_env.yaml")
    assert flavor.artifacts == {"weights": "artifacts/weights.bin"}
    assert flavor.config == {"temperature": 0.5}
    assert flavor.fields["unknown_to_us"] == [1, {"a": "b"}]
    assert model.example is not None
    assert (model.example.path, model.example.kind) == ("input_example.json", "dataframe")
    assert model.variables == ("OPENAI_API_KEY",)
    assert model.signature is not None
    assert list(model.flavors) == ["python_function", "sklearn"]


def test_a_file_of_mlflow_1_is_read(write: Write) -> None:
    model = mlmodel.read(write({"MLmodel": OLD}))

    assert model.python_function is not None
    assert (model.python_function.conda_env, model.python_function.python_env) == (
        "conda.yaml",
        None,
    )
    assert model.content["utc_time_created"] == "2019-05-01 12:00:00.123456"


@pytest.mark.parametrize(
    "text", [CURRENT, OLD, "flavors: {}\n", CURRENT.replace("\n", "\r\n"), "\ufeff" + OLD]
)
def test_nothing_is_lost_in_a_round_trip(write: Write, text: str) -> None:
    model = mlmodel.read(write({"MLmodel": text}))

    written = mlmodel.dumps(model)

    assert mlmodel.read(write({"again": written})) == model
    assert mlmodel.dumps(mlmodel.read(write({"again": written}))) == written
    assert list(yaml.safe_load(written)) == list(model.content)


def test_fields_change_without_touching_the_others(write: Write) -> None:
    model = mlmodel.read(write({"MLmodel": CURRENT}))

    changed = model.with_fields(env_vars=["A"]).with_python_function(
        env={"conda": "c.yaml"}, code="code"
    )

    assert changed.variables == ("A",)
    assert changed.python_function is not None
    assert (changed.python_function.conda_env, changed.python_function.code) == ("c.yaml", "code")
    assert list(changed.content) == list(model.content)
    assert changed.with_fields(env_vars=None).variables == ()
    assert model.variables == ("OPENAI_API_KEY",)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ""),
        ("mlflow_version: 3.1.1\n", "flavors"),
        ("flavors: []\n", "flavors"),
        ("flavors:\n  python_function: x\n", "flavors.python_function"),
        ("flavors:\n  sklearn: x\n", "flavors.sklearn"),
        (
            "flavors: {}\nsaved_input_example_info: {type: x}\n",
            "saved_input_example_info.artifact_path",
        ),
        ("flavors: {}\nenv_vars: A\n", "env_vars"),
        ("flavors: {}\nsignature: x\n", "signature"),
    ],
)
def test_a_fault_is_named_with_its_key(write: Write, text: str, where: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        mlmodel.read(write({"MLmodel": text}))

    assert caught.value.where == where


@pytest.mark.parametrize(
    ("flavor", "where"),
    [
        ("{code: c}", "loader_module"),
        ("{loader_module: 5}", "loader_module"),
        ("{loader_module: 'a b'}", "loader_module"),
        ("{loader_module: a, code: [x]}", "code"),
        ("{loader_module: a, env: [x]}", "env"),
        ("{loader_module: a, env: {conda: 1}}", "env.conda"),
        ("{loader_module: a, python_version: 3.10}", "python_version"),
        ("{loader_module: a, artifacts: {w: {}}}", "artifacts.w.path"),
        ("{loader_module: a, streamable: 1}", "streamable"),
    ],
)
def test_a_fault_of_the_flavor_is_named_with_its_key(write: Write, flavor: str, where: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        mlmodel.read(write({"MLmodel": f"flavors:\n  python_function: {flavor}\n"}))

    assert caught.value.where == f"flavors.python_function.{where}"


def test_a_file_cut_off_anywhere_is_read_or_refused_but_never_crashes(tmp_path: Path) -> None:
    path = tmp_path / "MLmodel"
    for length in range(0, len(CURRENT), 7):
        path.write_text(CURRENT[:length])
        with suppress(InvalidFile):
            mlmodel.read(path)
