"""Saved models that are changed: their signature and their requirements."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from envkit.cli.main import main
from envkit.errors import InvalidArgument, InvalidFile
from envkit.models import (
    Model,
    convert_input_example_to_serving_input,
    infer_signature,
    set_signature,
    update_model_requirements,
    validate_serving_input,
)

LOADER = """
class Doubled:
    def predict(self, data, params=None):
        return [2 * value for value in data]
def _load_pyfunc(path):
    return Doubled()
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "doubled_loader.py").write_text(LOADER)
    Model().add_flavor("python_function", loader_module="doubled_loader", code="code").save(folder)
    (folder / "requirements.txt").write_text(
        "numpy==1.26.0 \\\n    --hash=sha256:"
        + "0" * 64
        + "\nsix==1.16.0  # old\n-c constraints.txt\n"
    )
    (folder / "conda.yaml").write_text(
        "channels: [conda-forge]\ndependencies:\n- python=3.11\n- pip:\n"
        "  - six==1.16.0\n  - numpy\n"
    )
    (folder / "pylock.toml").write_text("")
    return folder


def test_a_requirement_replaces_that_of_the_same_distribution(model: Path) -> None:
    update_model_requirements(model, "add", ["Six==1.17.0", "idna>=3"])

    lines = (model / "requirements.txt").read_text().splitlines()
    assert lines[:1] == ["numpy==1.26.0 \\"]
    assert lines[2:] == ["-c constraints.txt", "Six==1.17.0", "idna>=3"]
    assert "Six==1.17.0" in (model / "conda.yaml").read_text()
    assert "six==1.16.0" not in (model / "conda.yaml").read_text()
    assert not (model / "pylock.toml").exists()


@pytest.mark.parametrize("command", ["update-requirements", "update-pip-requirements"])
def test_requirements_are_removed_by_name_on_the_command_line(model: Path, command: str) -> None:
    result = CliRunner().invoke(main, [command, "-m", str(model), "remove", "numpy>=2", "absent"])

    assert result.exit_code == 0, result.output
    assert (model / "requirements.txt").read_text() == "six==1.16.0  # old\n-c constraints.txt\n"
    assert "numpy" not in (model / "conda.yaml").read_text()
    assert CliRunner().invoke(main, [command, str(model), "add"]).exit_code == 2


def test_what_cannot_be_updated_is_refused(model: Path) -> None:
    with pytest.raises(InvalidArgument, match="operation must be add or remove"):
        update_model_requirements(model, "replace", ["six"])
    with pytest.raises(InvalidArgument, match="'six==' is not a valid requirement"):
        update_model_requirements(model, "add", ["six=="])
    with pytest.raises(InvalidArgument, match="not a local folder"):
        update_model_requirements("models:/m/1", "add", ["six"])
    (model / "requirements.txt").unlink()
    (model / "conda.yaml").unlink()
    with pytest.raises(InvalidFile, match="no such file"):
        update_model_requirements(model, "add", ["six"])


def test_a_signature_is_set(model: Path) -> None:
    signature = infer_signature([1], [2])
    set_signature(model, signature)

    assert Model.load(model).signature == signature
    with pytest.raises(InvalidArgument, match="must be a ModelSignature"):
        set_signature(model, 1)  # type: ignore[arg-type]


def test_an_example_is_a_request_on_which_the_model_predicts(model: Path) -> None:
    request = convert_input_example_to_serving_input([1, 2])

    assert request is not None
    assert validate_serving_input(model, request) == [2, 4]
    assert convert_input_example_to_serving_input(None) is None


def test_a_loaded_model_knows_its_directory(tmp_path: Path) -> None:
    info = {"artifact_path": "input_example.json", "type": "json_object"}
    (tmp_path / "input_example.json").write_text("[1, 2]")
    model = Model(saved_input_example_info=info).add_flavor("python_function", loader_module="m")
    model.save(tmp_path)

    assert Model.load(tmp_path).load_input_example() == [1, 2]
    with pytest.raises(InvalidArgument, match="pass its path"):
        model.load_input_example()
