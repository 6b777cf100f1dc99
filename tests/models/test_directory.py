from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.inside.data.requests import json_request
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.directory import ModelDirectory
from tests.builders.models import write_mlmodel

Make = Callable[[str], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a model whose python_function has these further fields (YAML flow style)."""

    def model(fields: str = "") -> Path:
        path = tmp_path / "model"
        (path / "code").mkdir(parents=True, exist_ok=True)
        write_mlmodel(path, **yaml.safe_load(f"{{{fields}}}"))
        (tmp_path / "outside").mkdir(exist_ok=True)
        (path / "link").unlink(missing_ok=True)
        (path / "link").symlink_to(tmp_path / "outside")
        return path

    return model


def test_a_model_is_opened_by_path_text_or_uri(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("")
    monkeypatch.chdir(path.parent)

    for uri in (
        path,
        str(path),
        path.as_uri(),
        f"file:{path}",
        "model",
        "./model/",
        "model/../model",
    ):
        assert ModelDirectory.open(uri).path == path.resolve()


def test_odd_characters_in_a_path_do_not_make_it_a_uri(make: Make, tmp_path: Path) -> None:
    odd = make("").rename(tmp_path / "C: my%20model $(x) 'q'")

    assert ModelDirectory.open(str(odd)).path == odd
    assert ModelDirectory.open(odd.as_uri()).path == odd


def test_an_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidArgument, match=r"cannot read nonsense: URIs.*local path.*s3://"):
        ModelDirectory.open("nonsense://bucket/model")


@pytest.mark.parametrize("uri", ["", "file://elsewhere/model", "a\0b"])
def test_a_text_that_cannot_name_a_model_is_refused(uri: str) -> None:
    with pytest.raises(InvalidArgument):
        ModelDirectory.open(uri)


def test_an_error_says_what_is_missing_of_a_model(make: Make, tmp_path: Path) -> None:
    path = make("")

    with pytest.raises(ModelNotFound, match="there is no such directory"):
        ModelDirectory.open(tmp_path / "gone")
    with pytest.raises(ModelNotFound, match="name the directory that contains it"):
        ModelDirectory.open(path / "MLmodel")
    with pytest.raises(ModelNotFound, match="has no MLmodel file"):
        ModelDirectory.open(tmp_path / "outside")
    with pytest.raises(ModelNotFound):
        ModelDirectory.open(tmp_path / ("x" * 5000))


@pytest.mark.parametrize(
    "value", ["../outside", "/etc/passwd", "link", "link/x", "code/../../outside", "{ABS}/code"]
)
@pytest.mark.parametrize(
    "field",
    [
        "code: {}",
        "data: {}",
        "python_model: {}",
        "env: {}",
        "env: {{virtualenv: {}}}",
        "artifacts: {{w: {{path: {}}}}}",
        "config: {}",
    ],
)
def test_no_field_leads_out_of_the_model(make: Make, field: str, value: str) -> None:
    path = make("")
    path = make(field.format(value.replace("{ABS}", str(path))))

    with pytest.raises(PathOutsideModel) as caught:
        ModelDirectory.open(path)

    assert caught.value.field.startswith("flavors.python_function.")


def test_a_field_with_a_circle_of_links_is_refused(make: Make) -> None:
    path = make("data: loop")
    (path / "loop").symlink_to("loop")

    with pytest.raises((InvalidFile, PathOutsideModel)):
        ModelDirectory.open(path)


def test_the_path_of_the_example_stays_inside_the_model(make: Make) -> None:
    path = make("")
    with (path / "MLmodel").open("a") as stream:
        stream.write("saved_input_example_info: {artifact_path: ../outside/x.json}\n")

    with pytest.raises(PathOutsideModel, match=r"saved_input_example_info\.artifact_path"):
        ModelDirectory.open(path)


def test_only_the_last_part_of_model_code_path_counts_as_in_mlflow(make: Make) -> None:
    model = ModelDirectory.open(make("model_code_path: /home/someone/project/model.py"))

    assert model.python_function.model_code_path == "/home/someone/project/model.py"


def test_paths_in_the_model_are_absolute(make: Make) -> None:
    path = make("code: code, data: data/m.pkl, env: {conda: conda.yaml}")
    (path / "inner").symlink_to("code")

    model = ModelDirectory.open(path)

    assert (model.code_path, model.data_path) == (path / "code", path / "data/m.pkl")
    assert (model.conda_env_path, model.python_env_path) == (
        path / "conda.yaml",
        path / "python_env.yaml",
    )
    assert model.example_path is None


@pytest.mark.parametrize(
    ("version", "is_old"), [("2.8.1", True), ("1.30.0", True), ("2.9.0", False), ("3.17.2", False)]
)
def test_columns_of_texts_hold_lists_before_mlflow_has_a_type_for_them(
    version: str, is_old: bool, tmp_path: Path
) -> None:
    inputs = '[{"name": "t", "type": "string"}]'
    (tmp_path / "MLmodel").write_text(
        f"mlflow_version: {version}\nsignature: {{inputs: '{inputs}'}}\n"
        "flavors: {python_function: {loader_module: m}}\n"
    )
    signature = Signature(ModelDirectory.open(tmp_path).request()["signature"])
    request = b'{"dataframe_split": {"columns": ["t"], "data": [[["a", "b"]]]}}'

    if is_old:
        data = json_request.parse(request, signature, raw=None).data
        assert data["t"].tolist() == [["a", "b"]]
    else:
        with pytest.raises(InvalidInput, match="must be a string, not a list"):
            json_request.parse(request, signature, raw=None)


def test_the_request_is_json_and_names_the_example(make: Make) -> None:
    path = make("code: code")
    with (path / "MLmodel").open("a") as stream:
        stream.write(
            "saved_input_example_info:\n"
            "  {artifact_path: in.json, type: dataframe, pandas_orient: split}\n"
        )
        stream.write("utc_time_created: 2026-01-01\nsignature: {inputs: '[]'}\n")
    (path / "in.json").write_text("{}")

    request = ModelDirectory.open(path).request()

    assert json.loads(json.dumps(request)) == {
        "model": str(path),
        "python_function": {"loader_module": "loader", "code": "code"},
        "flavors": {"python_function": {"loader_module": "loader", "code": "code"}},
        "signature": {"inputs": "[]"},
        "example": {
            "artifact_path": "in.json",
            "type": "dataframe",
            "pandas_orient": "split",
            "path": str(path / "in.json"),
        },
        "metadata": {},
    }


def test_a_named_example_that_does_not_exist_is_reported(make: Make) -> None:
    path = make("")
    with (path / "MLmodel").open("a") as stream:
        stream.write("saved_input_example_info: {artifact_path: in.json}\n")

    with pytest.raises(InvalidFile, match=r"there is no file in\.json"):
        ModelDirectory.open(path).request()


def test_an_unnamed_example_is_found_under_mlflows_name(make: Make) -> None:
    path = make("")
    (path / "serving_input_example.json").write_text("{}")

    assert ModelDirectory.open(path).example_path == path / "serving_input_example.json"


def test_the_error_for_a_missing_flavor_lists_the_others(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {mleap: {version: '1'}}\n")

    with pytest.raises(InvalidFile, match=r"python_function: is missing \(flavors: mleap\)"):
        ModelDirectory.open(tmp_path).request()


def test_a_model_is_opened_through_a_symbolic_link(make: Make, tmp_path: Path) -> None:
    path = make("code: code")
    (tmp_path / "latest").symlink_to(path)

    assert ModelDirectory.open(tmp_path / "latest").code_path == path / "code"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(make: Make) -> None:
    path = make("")
    path.chmod(0)
    try:
        with pytest.raises((ModelNotFound, InvalidFile)):
            ModelDirectory.open(path)
    finally:
        path.chmod(0o755)
