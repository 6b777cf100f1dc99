"""A model that works in a conda environment is captured as such, and rebuilt by conda."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.environments.env_type import EnvType
from envkit.environments.reproduction import predict, prepare_env
from envkit.formats import conda_yaml
from envkit.models.capture_warnings import WarningKind
from tests.builders.conda_channel import CondaChannel
from tests.builders.models import write_model
from tests.builders.wheels import write_wheel

pytestmark = pytest.mark.e2e

LOADER = """
import envkit_demo_native, piped

class Model:
    def predict(self, data, params=None):
        import envkit_demo
        return [envkit_demo_native.cube_root(8.0), envkit_demo.VERSION, piped.VERSION]

def _load_pyfunc(path):
    return Model()
"""
PREDICTED = [2.0, "1.0", "2.5"]


@pytest.fixture
def model(tmp_path: Path, conda_channel: CondaChannel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a conda.yaml as someone wrote it; an index knows what pip is to install."""
    monkeypatch.setenv("ENVKIT_CONDA_EXE", "embedded")
    (tmp_path / "index").mkdir()
    write_wheel(tmp_path / "index", "piped", "2.5")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    path = tmp_path / "model"
    env = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    write_model(path, LOADER, example={"inputs": [1]}, env=env)
    packages = [
        f"python={conda_channel.python}",
        "pip",
        "envkit-demo=1.0",
        "envkit-demo-native",
        {"pip": ["piped"]},
    ]
    (path / "conda.yaml").write_text(
        json.dumps({"channels": [conda_channel.url], "dependencies": packages})
    )
    return path


@pytest.fixture
def captured(model: Path) -> Capture:
    return capture(model, python=prepare_env(model, EnvType.CONDA).python)


def test_conda_s_packages_stay_conda_s_and_the_rebuilt_environment_predicts_the_same(
    captured: Capture, model: Path, conda_channel: CondaChannel
) -> None:
    written = conda_yaml.read(model / "conda.yaml")

    assert captured.prediction == PREDICTED
    assert set(captured.requirements) == {
        "envkit-demo==1.0",
        "envkit-demo-native==1.0",
        "piped==2.5",
    }
    assert written.channels == (conda_channel.url,)
    assert written.packages == ("envkit-demo=1.0", "envkit-demo-native=1.0", "libenvkit-demo=1.0")
    assert written.python is not None
    assert written.python.startswith(f"python={conda_channel.python}")
    assert written.pip == ("piped==2.5", "-c constraints.txt")
    assert (
        predict(model, env_manager=EnvType.CONDA, input_path=model / "input_example.json")
        == PREDICTED
    )
    told = {(each.kind, each.subject) for each in captured.warnings}
    assert {
        (WarningKind.LOCAL_ORIGIN, conda_channel.url),
        (WarningKind.NOT_ON_INDEX, "envkit-demo"),
    } <= told
    origins = {each["name"]: each["conda"] for each in captured.evidence["distributions"]}
    assert origins["piped"] is None
    assert origins["envkit-demo"]["channel"] == conda_channel.url
    (library,) = [
        each for each in captured.evidence["libraries"] if "libenvkit-demo" in each["path"]
    ]
    assert library["conda_package"] == "libenvkit-demo"
