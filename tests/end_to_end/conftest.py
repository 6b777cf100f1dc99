"""One environment in which all fixture models work, and `envkit` as its users start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uv
from filelock import FileLock

# The versions with which `scripts/make_fixtures` made the models; mlflow-skinny for models whose
# code imports MLflow.
PACKAGES = (
    "cloudpickle==3.1.2",
    "humanize==4.17.0",
    "mlflow-skinny==3.17.2",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "scikit-learn==1.9.1",
    "scipy==1.17.1",
    "xgboost-cpu==3.2.0",
)

Envkit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all worker processes of one test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def model_python(shared: Path) -> Path:
    """An interpreter in whose environment every fixture model works; envkit is not in it."""
    place = shared / "model-environment"
    cache = shared / "envkit-home" / "cache" / "uv"
    with FileLock(shared / "model-environment.lock"):
        if not (place / "complete").exists():
            program = uv.find_uv_bin()
            common: list[str | Path] = ["--quiet", "--cache-dir", cache]
            subprocess.run(
                [program, "venv", *common, "--clear", "--python", sys.executable, place], check=True
            )
            python: list[str | Path] = ["--python", place / "bin" / "python"]
            subprocess.run([program, "pip", "install", *common, *python, *PACKAGES], check=True)
            (place / "complete").touch()
    return place / "bin" / "python"


@pytest.fixture(scope="session")
def envkit(shared: Path) -> Envkit:
    """Run `envkit` with these words, elsewhere, with one store for all: what one test built, the others find."""
    elsewhere = shared / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    own = {
        "ENVKIT_HOME": str(shared / "envkit-home"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }

    def run(
        *words: str | Path, succeeds: bool = True, directory: Path = elsewhere
    ) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "envkit", *words]
        variables = {**os.environ, **own}
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, cwd=directory, env=variables
        )
        assert not succeeds or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    return run
