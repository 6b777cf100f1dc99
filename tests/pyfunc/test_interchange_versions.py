"""Models of older MLflow versions are captured, rebuilt and predict the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uv

import envkit
from envkit import pyfunc
from envkit.models import Model
from tests.builders.interpreters import interpreter

pytestmark = [pytest.mark.e2e, pytest.mark.network, pytest.mark.slow]

MODELS = (
    "sklearn_frame",
    "sklearn_array",
    "xgboost_sklearn",
    "lightgbm_booster",
    "statsmodels_results",
    "python_model",
)
LIBRARIES = ("xgboost<2", "lightgbm<4", "statsmodels", "numpy<2", "setuptools<70", "pip")
VERSIONS = {  # MLflow: Python, and undeclared requirements of that MLflow
    "1.30.0": ("3.8", ()),
    "2.0.1": ("3.9", ("numpy<1.24",)),
    "2.9.2": ("3.10", ()),
    "2.22.0": ("3.10", ()),
}

SAVE = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
import mlflow.lightgbm, mlflow.pyfunc, mlflow.sklearn, mlflow.statsmodels, mlflow.xgboost
import lightgbm, statsmodels.api, xgboost
from mlflow.models.signature import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

random = np.random.RandomState(0)
area, rooms = random.uniform(20, 200, 60).round(1), random.randint(1, 7, 60) * 1.0
numbers = pd.DataFrame({"area": area, "rooms": rooms})
frame = numbers.assign(city=random.choice(["Berlin", "Bonn"], 60))
price = 3.1 * frame["area"] + 12.0 * frame["rooms"] + 40.0 * (frame["city"] == "Berlin")

class Prices(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        with open(context.artifacts["rates"]) as stream:
            self.rates = json.load(stream)
    def predict(self, context, model_input):
        return model_input["area"] * model_input["city"].map(self.rates)

with open("rates.json", "w") as stream:
    json.dump({"Berlin": 2.5, "Bonn": 1.5}, stream)
columns = ColumnTransformer([("city", OneHotEncoder(), ["city"])], remainder="passthrough")
trees = {"min_data_in_leaf": 5, "verbose": -1, "num_threads": 1}
pipeline = Pipeline([("c", columns), ("l", LinearRegression())]).fit(frame, price)
linear = LinearRegression().fit(numbers.values, price)
regressor = xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(numbers, price)
booster = lightgbm.train(trees, lightgbm.Dataset(numbers, label=price), 5)
results = statsmodels.api.OLS(price, numbers).fit()
models = {
    "sklearn_frame": (mlflow.sklearn, pipeline, frame),
    "sklearn_array": (mlflow.sklearn, linear, numbers.values),
    "xgboost_sklearn": (mlflow.xgboost, regressor, numbers),
    "lightgbm_booster": (mlflow.lightgbm, booster, numbers),
    "statsmodels_results": (mlflow.statsmodels, results, numbers),
}
for name, (flavor, model, data) in models.items():
    signature = infer_signature(data, model.predict(data))
    flavor.save_model(model, name, input_example=data[:3], signature=signature)
mlflow.pyfunc.save_model("python_model", python_model=Prices(), artifacts={"rates": "rates.json"},
                         input_example=frame[:3], signature=infer_signature(frame, price))
for name in [*models, "python_model"]:
    data = models[name][2] if name in models else frame
    answer = mlflow.pyfunc.load_model(name).predict(data[3:7])
    with open(name + ".json", "w") as stream:
        json.dump({
            "asked": np.asarray(data[3:7]).tolist(),
            "columns": list(getattr(data, "columns", [])),
            "answered": np.asarray(answer).tolist(),
        }, stream)
"""


@dataclass(frozen=True, kw_only=True)
class Makers:
    """An environment with an old MLflow, and the folder of the models that it saved."""

    version: str
    python: Path
    folder: Path


@pytest.fixture(scope="module", params=VERSIONS)
def makers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Makers:
    """One version after the other."""
    minor, others = VERSIONS[request.param]
    base = interpreter(minor)
    if base is None:
        pytest.skip(f"no Python {minor} here")
    folder = tmp_path_factory.mktemp("older")
    python = folder / "venv" / "bin" / "python"
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--python", base, folder / "venv"], check=True)
    packages = (f"mlflow=={request.param}", *LIBRARIES, *others)
    subprocess.run(
        [program, "pip", "install", "--quiet", "--python", python, *packages], check=True
    )
    subprocess.run([python, "-c", SAVE], check=True, cwd=folder)
    shutil.copytree(folder / "sklearn_frame", folder / "untouched")
    return Makers(version=request.param, python=python, folder=folder)


def request_for(saved: dict[str, Any]) -> dict[str, Any]:
    if not saved["columns"]:
        return {"inputs": saved["asked"]}
    return {"dataframe_split": {"columns": saved["columns"], "data": saved["asked"]}}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_an_older_mlflow_is_captured_rebuilt_and_run(
    makers: Makers, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVKIT_HOME", str(makers.folder / "store"))
    model = makers.folder / name
    saved = json.loads((makers.folder / f"{name}.json").read_text())

    captured = envkit.capture(model, python=makers.python)
    predicted = envkit.predict(model, request_for(saved))

    rows = [next(iter(row.values())) if isinstance(row, dict) else row for row in predicted]
    assert rows == pytest.approx(saved["answered"], rel=1e-6)
    assert [warning for warning in captured.warnings if warning.kind == "outside"] == []
    assert Model.load(model).mlflow_version == makers.version
    with pyfunc.load_model(model, env_manager="uv") as live:  # type: ignore[attr-defined]
        assert live.predict(live.input_example) is not None


def test_without_a_capture_the_files_of_mlflow_are_enough(
    makers: Makers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment then contains MLflow, as those files say."""
    monkeypatch.setenv("ENVKIT_HOME", str(makers.folder / "store"))
    saved = json.loads((makers.folder / "sklearn_frame.json").read_text())

    predicted = envkit.predict(makers.folder / "untouched", request_for(saved))

    assert predicted == pytest.approx(saved["answered"], rel=1e-6)
