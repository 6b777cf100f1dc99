"""Models are exchanged between envkit and MLflow, and need neither to run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import uv

import envkit
from envkit import pyfunc
from envkit.errors import EnvkitError

pytestmark = [pytest.mark.e2e, pytest.mark.network, pytest.mark.slow]

FRAME = {"a": [1.0, 2.0], "b": [3.0, 4.0]}
ASKED = {"messages": [{"role": "user", "content": "hi"}]}

LOAD = """
import json, sys
import importlib.util, mlflow, pandas as pd
assert importlib.util.find_spec("envkit") is None
frame, question = pd.DataFrame(json.loads(sys.argv[2])), json.loads(sys.argv[3])
load = lambda name: mlflow.pyfunc.load_model(f"{sys.argv[1]}/{name}")
print(json.dumps({
    "scaled": load("scaled").predict(frame, {"plus": 1}).to_dict(orient="list"),
    "upper": load("upper").predict(["a"]),
    "shout": load("shout").predict(question)["choices"],
    "double": load("double").predict(frame).to_dict(orient="list"),
}))
"""

SAVE = """
import sys
import mlflow, pandas as pd
from mlflow.pyfunc import ChatModel, PythonModel
from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage

here, frame = sys.argv[1], pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})

class Scaled(PythonModel):
    def load_context(self, context):
        self.factor = 3
    def predict(self, context, model_input, params=None):
        return model_input * self.factor

class Upper(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return [text.upper() for text in model_input]

class Shout(ChatModel):
    def predict(self, context, messages, params):
        message = ChatMessage(role="assistant", content=messages[-1].content.upper())
        return ChatCompletionResponse(choices=[ChatChoice(message=message)])

def double(data):
    return data * 2

class Tracking(PythonModel):
    def predict(self, model_input):
        if len(model_input) > 5:
            import mlflow
            mlflow.log_metric("rows", 5)
        return model_input

with open(here + "/tracking.py", "w") as stream:
    stream.write(
        "import mlflow\\nfrom mlflow.pyfunc import PythonModel\\nclass Tracking(PythonModel):\\n"
        "    def predict(self, context, model_input, params=None):\\n"
        "        if len(model_input) > 5:\\n            mlflow.log_metric('rows', 5)\\n"
        "        return model_input\\nmlflow.models.set_model(Tracking())\\n"
    )
models = {
    "scaled": (Scaled(), frame),
    "upper": (Upper(), ["a"]),
    "shout": (Shout(), None),
    "double": (double, frame),
    "tracking": (here + "/tracking.py", frame),
}
for name, (model, example) in models.items():
    options = {"input_example": example, "pip_requirements": ["mlflow"]}
    mlflow.pyfunc.save_model(f"{here}/{name}", python_model=model, **options)
"""


@pytest.fixture(scope="module")
def mlflow_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with MLflow and without envkit."""
    place = tmp_path_factory.mktemp("mlflow") / "venv"
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, place], check=True)
    python = place / "bin" / "python"
    subprocess.run(
        [program, "pip", "install", "--quiet", "--python", python, "mlflow==3.17.2"], check=True
    )
    return python


@pytest.fixture(scope="module")
def of_mlflow(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that MLflow saved: scaled, upper, shout, double, tracking."""
    folder = tmp_path_factory.mktemp("of-mlflow")
    subprocess.run([mlflow_python, "-W", "ignore", "-c", SAVE, folder], check=True, cwd=folder)
    return folder


def test_mlflow_predicts_the_same_without_envkit(saved: Path, mlflow_python: Path) -> None:
    done = subprocess.run(
        [mlflow_python, "-W", "ignore", "-c", LOAD, saved, json.dumps(FRAME), json.dumps(ASKED)],
        check=True,
        stdout=subprocess.PIPE,
        cwd=saved,
    )
    frame = pd.DataFrame(FRAME)
    here = {
        name: pyfunc.load_model(saved / name, suppress_warnings=True)
        for name in ("scaled", "shout", "double")
    }

    assert json.loads(done.stdout.decode().splitlines()[-1]) == {
        "scaled": here["scaled"].predict(frame, {"plus": 1}).to_dict(orient="list"),
        "upper": ["A"],
        "shout": here["shout"].predict(ASKED)["choices"],
        "double": here["double"].predict(frame).to_dict(orient="list"),
    }


def test_models_of_mlflow_load_without_mlflow(of_mlflow: Path) -> None:
    frame = pd.DataFrame(FRAME)
    load = pyfunc.load_model

    pd.testing.assert_frame_equal(
        load(of_mlflow / "scaled", suppress_warnings=True).predict(frame), frame * 3
    )
    pd.testing.assert_frame_equal(
        load(of_mlflow / "double", suppress_warnings=True).predict(frame), frame * 2
    )
    assert load(of_mlflow / "upper", suppress_warnings=True).predict(["a"]) == ["A"]
    answer = load(of_mlflow / "shout", suppress_warnings=True).predict(ASKED)
    assert answer["choices"][0]["message"]["content"] == "HI"
    assert "mlflow" not in sys.modules


@pytest.mark.parametrize("name", ["scaled", "upper", "shout", "double"])
def test_slim_drops_mlflow_and_predicts_the_same(
    of_mlflow: Path, mlflow_python: Path, name: str, tmp_path: Path
) -> None:
    model = shutil.copytree(of_mlflow / name, tmp_path / name)
    captured = envkit.capture(model, python=mlflow_python, slim=True)
    lines = "\n".join((*captured.requirements, *captured.constraints))

    assert "mlflow" not in lines
    example = json.loads((model / "serving_input_example.json").read_text())
    predicted = envkit.predict(model, example)
    if name == "shout":
        assert predicted["choices"] == captured.prediction["choices"]
    else:
        assert predicted == captured.prediction


def test_slim_explains_why_mlflow_stays(
    of_mlflow: Path, mlflow_python: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(of_mlflow / "tracking", tmp_path / "tracking")
    captured = envkit.capture(model, python=mlflow_python, slim=True)
    notes = [str(warning) for warning in captured.warnings if warning.kind == "kept"]

    assert any(line.startswith("mlflow") for line in captured.requirements)
    assert "mlflow.log_metric (tracking.py:6)" in notes[0]


def test_the_environment_of_a_saved_model_contains_neither_envkit_nor_mlflow(saved: Path) -> None:
    with pyfunc.load_model(saved / "shout", env_manager="uv") as model:  # type: ignore[attr-defined]
        assert model.predict(ASKED)["choices"][0]["message"]["content"] == "HI"
        with pytest.raises(EnvkitError):
            model.predict(5)
