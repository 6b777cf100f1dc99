"""What rows share: programs, the model and its environment, each made when it is first needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmark.measuring import Measure, NotMeasured, Time

ROOT = Path(__file__).resolve().parents[2]
MODEL_PACKAGES = ("cloudpickle==3.1.2", "pandas==3.1.1", "scikit-learn==1.9.1")

LOAD_AND_PREDICT = """
import json, pickle, sys
import pandas
with open(sys.argv[1] + "/model.pkl", "rb") as stream:
    model = pickle.load(stream)
with open(sys.argv[1] + "/input_example.json") as stream:
    example = json.load(stream)
model.predict(pandas.DataFrame(example["data"], columns=example["columns"]))
"""


@dataclass(kw_only=True)
class Workbench:
    """A temporary folder, and programs that are run in it.

    folder: everything that rows write lies in it. pairs: how often each row is measured.
    mlflow_python: an interpreter that has MLflow.
    """

    folder: Path
    pairs: int
    mlflow_python: Path | None
    variables: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.variables = {**os.environ, "ENVKIT_HOME": str(self.store)}
        self.variables.pop("PYTHONDONTWRITEBYTECODE", None)

    @property
    def store(self) -> Path:
        """The environment store."""
        return self.folder / "store"

    @cached_property
    def programs(self) -> Path:
        """The folder with `envkit`, its `python` and `uv`."""
        ended = subprocess.run(
            [ROOT / "scripts" / "environment", ".venv", "test"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return Path(ended.stdout.strip()).parent

    @property
    def envkit(self) -> Path:
        """The program as users start it."""
        return self.programs / "envkit"

    @property
    def python(self) -> Path:
        """The interpreter that runs envkit."""
        return self.programs / "python"

    @property
    def uv(self) -> Path:
        """The program uv."""
        return self.programs / "uv"

    @property
    def required_mlflow_python(self) -> Path:
        """The interpreter that has MLflow; a row cannot be measured without."""
        if self.mlflow_python is None:
            raise NotMeasured("name a Python with MLflow: --mlflow-python")
        return self.mlflow_python

    @cached_property
    def model_python(self) -> Path:
        """The interpreter in whose environment the model works."""
        self.log(f"Making an environment with {', '.join(MODEL_PACKAGES)}")
        environment = self.folder / "model-environment"
        python = environment / "bin" / "python"
        self.run(self.uv, "venv", "--quiet", "--python", self.python, environment)
        self.run(self.uv, "pip", "install", "--quiet", "--python", python, *MODEL_PACKAGES)
        return python

    @cached_property
    def model(self) -> Path:
        """A model without environment files."""
        model = self.folder / "model"
        self.run(self.model_python, ROOT / "scripts" / "make_demo_model", model)
        return model

    @cached_property
    def captured(self) -> Path:
        """A captured copy of the model."""
        model = self.folder / "captured"
        shutil.copytree(self.model, model)
        self.run(self.envkit, "capture", "--python", self.model_python, model)
        return model

    @property
    def request(self) -> Path:
        """A file with a request for a prediction of the captured model."""
        return self.captured / "serving_input_example.json"

    @cached_property
    def rebuilt_python(self) -> Path:
        """The interpreter of the model's rebuilt environment."""
        self.log("Rebuilding the environment for the first time, which fills the download cache")
        facts = json.loads(self.run(self.envkit, "prepare-env", "--json", self.captured))
        return Path(facts["python"])

    def log(self, line: str) -> None:
        """Print a line on standard error."""
        print(line, file=sys.stderr, flush=True)

    def run(self, *argv: str | Path) -> str:
        """Run a program that is not measured; gives its output."""
        ended = subprocess.run(
            argv, check=False, env=self.variables, capture_output=True, text=True
        )
        if ended.returncode:
            raise NotMeasured(f"`{shortened(argv)}` failed: {ended.stderr.strip()[-400:]}")
        return ended.stdout

    def timed(self, *argv: str | Path) -> Time:
        """Run a program and give its time."""
        with tempfile.TemporaryFile() as errors:
            started = time.perf_counter()
            process = subprocess.Popen(
                argv, env=self.variables, stdout=subprocess.DEVNULL, stderr=errors
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                errors.seek(0)
                output = errors.read().decode(errors="replace").strip()[-400:]
                raise NotMeasured(f"`{shortened(argv)}` ended with {process.returncode}: {output}")
        return Time(wall, usage.ru_utime + usage.ru_stime)

    def timed_empty_process(self) -> Time:
        """Time an interpreter that does nothing."""
        return self.timed(self.python, "-c", "pass")

    def timed_bare_prediction(self, python: Path) -> Time:
        """Time loading the model and predicting without envkit."""
        return self.timed(python, "-c", LOAD_AND_PREDICT, self.model)

    def timed_capture(self) -> Time:
        """Time the capture of a model without environment files."""
        model = self.folder / "to-capture"
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(self.model, model)
        return self.timed(self.envkit, "capture", "--python", self.model_python, model)

    def side_by_side(
        self, mine: Measure, theirs: Measure, max_pairs: int | None = None
    ) -> tuple[list[Time], list[Time]]:
        """Measure both in turns, each first as often as the other, after a run without effect."""
        mine()
        theirs()
        left = []
        right = []
        for number in range(min(self.pairs, max_pairs or self.pairs)):
            if number % 2:
                right.append(theirs())
                left.append(mine())
            else:
                left.append(mine())
                right.append(theirs())
        return left, right


def shortened(argv: tuple[str | Path, ...] | list[str | Path]) -> str:
    """Give the beginning of a command for messages."""
    return " ".join(str(part).partition("\n")[0] or "…" for part in argv[:3])


def count_files(python: Path) -> int:
    """Count the files of an interpreter's environment, without bytecode."""
    files = (path for path in python.parents[1].rglob("*") if path.is_file())
    return sum(1 for path in files if path.suffix != ".pyc")
