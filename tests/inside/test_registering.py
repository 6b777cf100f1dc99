"""Models from code that register by envkit's `set_model`, with and without envkit installed."""

from __future__ import annotations

import sys

from tests.builders.inside_bench import Bench

CODE = """
from envkit.models import set_model

class Lengths:
    def predict(self, model_input):
        return [len(text) for text in model_input]

set_model(Lengths())
"""
FLAVOR = {
    "loader_module": "mlflow.pyfunc.loaders.code_model",
    "model_code_path": "/elsewhere/made.py",
    "code": None,
}


def test_set_model_works_without_envkit(bench: Bench, python: str) -> None:
    (bench.model / "made.py").write_text(CODE)

    report = bench.predict(python, {"inputs": ["a", "bcd"]}, python_function=FLAVOR)

    assert report.last == "done", report.events[-1]
    assert bench.predictions == [1, 3]


def test_set_model_of_an_installed_envkit_registers_the_model(bench: Bench) -> None:
    (bench.model / "made.py").write_text(CODE)

    bench.predict(sys.executable, {"inputs": ["ab"]}, python_function=FLAVOR)

    assert bench.predictions == [2]


def test_code_that_registers_nothing_is_an_error(bench: Bench, python: str) -> None:
    (bench.model / "made.py").write_text("x = 1\n")

    error = bench.predict(python, {"inputs": [1]}, python_function=FLAVOR).events[-1]

    assert "never called `set_model`" in error["message"]
