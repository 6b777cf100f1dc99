"""One environment in which all fixture models work, and `envkit` as its users start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv
from filelock import FileLock

from tests.builders.programs import Envkit

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


@pytest.fixture(scope="session")
def model_python(shared: Path) -> Path:
    """An interpreter in whose environment every fixture model works, without envkit."""
    environment = shared / "model-environment"
    cache = shared / "envkit-home" / "cache" / "uv"
    python = environment / "bin" / "python"
    with FileLock(shared / "model-environment.lock"):
        if not (environment / "complete").exists():
            program = uv.find_uv_bin()
            common: list[str | Path] = ["--quiet", "--cache-dir", cache]
            make = [program, "venv", *common, "--clear", "--python", sys.executable, environment]
            subprocess.run(make, check=True)
            install = [program, "pip", "install", *common, "--python", python, *PACKAGES]
            subprocess.run(install, check=True)
            (environment / "complete").touch()
    return python


@pytest.fixture(scope="session")
def envkit(shared: Path) -> Envkit:
    """Run `envkit` in another folder, with one store for all tests."""
    elsewhere = shared / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    variables = {
        "ENVKIT_HOME": str(shared / "envkit-home"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }

    def run(
        *words: str | Path, succeeds: bool = True, directory: Path = elsewhere
    ) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [sys.executable, "-m", "envkit", *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=directory,
            env={**os.environ, **variables},
        )
        if succeeds:
            assert ended.returncode == 0, f"{words}\n{ended.stdout}\n{ended.stderr}"
        return ended

    return run
