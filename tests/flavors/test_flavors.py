"""Every flavor with its real library: saved, loaded, rebuilt, and exchanged with MLflow."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from envkit import capture, predict, prepare_env
from envkit.pyfunc import load_model
from tests.flavors.case import FLAVOR, Case, cases_of, differences

ROOT = Path(__file__).resolve().parent.parent.parent
MLFLOW = os.environ.get(
    "ENVKIT_TEST_MLFLOW", ""
)  # a Python with MLflow and the library of the flavor

pytestmark = [pytest.mark.flavors, pytest.mark.filterwarnings("ignore")]


class Models:
    """The models of all cases in one folder; MLflow is started once for all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = {case.name: str(index) for index, case in enumerate(cases_of(FLAVOR))}
        self._errors: dict[str, Exception] = {}
        self._exchanged: dict[str, dict[str, Any]] | None = None
        for case in cases_of(FLAVOR):
            target = folder / "ours" / self._index[case.name]
            try:
                case.save(flavor(), target, case.options)
                if case.by_hand is not None:
                    capture(target)
            except Exception as error:  # noqa: BLE001 - the test of this case raises it
                self._errors[case.name] = error

    def ours(self, case: Case) -> Path:
        """The folder where envkit saved it."""
        if case.name in self._errors:
            raise self._errors[case.name]
        return self._folder / "ours" / self._index[case.name]

    def theirs(self, case: Case) -> Path:
        """The folder where MLflow saved it."""
        return self._folder / "theirs" / self._index[case.name]

    def mlflows_answer(self, case: Case, whose: str) -> Any:
        """What MLflow predicts with it."""
        if self._exchanged is None:
            self._exchanged = self._exchange()
        found = self._exchanged[case.name][whose]
        if found is None:
            pytest.skip("this MLflow has no way to")
        assert "error" not in found, found["error"]
        return found["answer"]

    def _exchange(self) -> dict[str, dict[str, Any]]:
        answers = self._folder / "answers.json"
        argv = [
            MLFLOW,
            "-m",
            "tests.flavors.with_mlflow",
            FLAVOR,
            *map(str, self._arguments(answers)),
        ]
        wanted = {
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
            "PYTHONPATH": str(ROOT),
            "PYSPARK_PYTHON": MLFLOW,
        }
        variables = {**os.environ, **wanted}
        done = subprocess.run(
            argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        found: dict[str, dict[str, Any]] = json.loads(answers.read_text(encoding="utf-8"))
        return found

    def _arguments(self, answers: Path) -> tuple[Path, Path, Path]:
        return self._folder / "ours", self._folder / "theirs", answers


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("models"))


def flavor() -> Any:
    return import_module(f"envkit.flavors.{FLAVOR}")


def answer(model: Path, case: Case) -> Any:
    """Return what the model predicts in this process."""
    return case.answer(load_model(model))


def test_predicts_the_same_in_the_rebuilt_environment(case: Case, models: Models) -> None:
    saved = models.ours(case)
    source = FLAVOR in ("spark", "h2o")  # they have no wheels
    environment = prepare_env(saved, allow_source=source)
    found = predict(saved, input_path=saved / "serving_input_example.json", allow_source=source)

    assert differences(case.plain(found), answer(saved, case)) == []
    installed = {
        each.name.partition("-")[0] for each in Path(environment.path).rglob("*.dist-info")
    }
    assert installed.isdisjoint({"mlflow", "mlflow_skinny", "envkit"})


def test_is_loaded_as_the_librarys_own(case: Case, models: Models) -> None:
    loaded = flavor().load_model(models.ours(case), **case.loading)

    predicting = flavor()._load_pyfunc(models.ours(case))
    if FLAVOR == "python_function":  # the author's own object, which predicts
        assert differences(case.answer(loaded), case.answer(predicting)) == []
    elif FLAVOR != "onnx":  # a session runs its graph
        assert type(loaded).__name__ == type(predicting.get_raw_model()).__name__
    assert (
        flavor().get_default_pip_requirements()[0]
        in flavor().get_default_conda_env()["dependencies"][-1]["pip"]
    )


def test_mlflows_directory_predicts_the_same(case: Case, models: Models) -> None:
    expected = models.mlflows_answer(case, "theirs")
    flavor().load_model(models.theirs(case))

    assert differences(answer(models.theirs(case), case), expected) == []


def test_mlflows_directory_needs_no_mlflow(case: Case, models: Models) -> None:
    if case.name != cases_of(FLAVOR)[0].name:
        pytest.skip("asked for the first one")
    models.mlflows_answer(case, "theirs")
    found = capture(models.theirs(case), write=False)

    assert not [
        line for line in (*found.requirements, *found.constraints) if line.startswith("mlflow")
    ]


def test_is_loaded_by_mlflow(case: Case, models: Models) -> None:
    models.ours(case)
    expected = answer(models.ours(case), case)

    assert differences(models.mlflows_answer(case, "ours"), expected) == []
