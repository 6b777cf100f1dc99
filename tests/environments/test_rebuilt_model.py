"""A model that needs a package runs in its environment, by the real program inside."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments import prediction
from envkit.environments.env_type import EnvType
from envkit.environments.prediction import ProcessOptions
from envkit.errors import PredictionFailed
from envkit.interpreters import locations
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.requirements import requirements

LOADER = """
import os, sys
import alpha, beta

class Model:
    def predict(self, given, params=None):
        print("printed by the model")
        token = os.environ.get("TOKEN")
        return {"alpha": alpha.VERSION, "prefix": sys.prefix, "token": token, "path": sys.path}

def _load_pyfunc(path):
    return Model()
"""


@pytest.mark.e2e
@pytest.mark.parametrize("manager", [EnvType.UV, EnvType.VIRTUALENV])
@pytest.mark.parametrize("version", ["3.8.18", "3.11.7", "3.13.0"])
def test_a_model_predicts_in_its_own_environment(
    manager: EnvType,
    version: str,
    spec: EnvironmentSpec,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if not (locations.pyenv_versions(os.environ) / version).exists():
        pytest.skip(f"Python {version} is not on this machine")
    environment = prepare(replace(spec, python=version), manager, root=root)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "leak"))
    (spec.directory / "code").mkdir()
    (spec.directory / "code" / "my_loader.py").write_text(LOADER)
    (tmp_path / "input.json").write_text('{"inputs": {"x": "text"}}')
    function = {"loader_module": "my_loader", "code": "code"}
    model = {
        "model": str(spec.directory),
        "python_function": function,
        "flavors": {"python_function": function},
        "signature": None,
    }
    predictions = prediction.predict(
        environment,
        model,
        tmp_path / "input.json",
        "json",
        ProcessOptions(timeout=60.0, variables={"TOKEN": "t"}),
        output_path=tmp_path / "output.json",
    )

    assert predictions["alpha"] == "1.0"
    assert predictions["prefix"] == str(environment.path)
    assert predictions["token"] == "t"
    assert not any("leak" in each for each in predictions["path"])
    assert json.loads((tmp_path / "output.json").read_text()) == {"predictions": predictions}
    assert capfd.readouterr().out == ""


@pytest.mark.e2e
def test_what_the_environment_lacks_is_the_models_error(
    spec: EnvironmentSpec, root: Path, tmp_path: Path
) -> None:
    environment = prepare(
        replace(spec, requirements=requirements("beta==1.0")), EnvType.UV, root=root
    )
    (spec.directory / "my_loader.py").write_text(LOADER)
    (tmp_path / "input.json").write_text('{"inputs": 1}')
    function = {"loader_module": "my_loader", "code": "."}
    model = {
        "model": str(spec.directory),
        "python_function": function,
        "flavors": {},
        "signature": None,
    }

    with pytest.raises(PredictionFailed, match="No module named 'alpha'") as raised:
        prediction.predict(
            environment, model, tmp_path / "input.json", "json", ProcessOptions(timeout=60.0)
        )
    assert raised.value.exit_code == 6
    assert "my_loader.py" in raised.value.traceback
