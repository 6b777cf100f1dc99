"""Interpreters in which the program of `envkit/inside` runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uv
from filelock import FileLock

from tests.builders.inside_bench import Bench
from tests.builders.interpreters import MINORS, interpreter


@pytest.fixture(params=MINORS)
def any_python(request: pytest.FixtureRequest) -> str:
    """An interpreter of each minor version."""
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not installed")
    return python


@pytest.fixture(scope="session")
def running_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version that runs the tests, without the libraries of the tests."""
    environment = tmp_path_factory.mktemp("running")
    subprocess.run(
        [uv.find_uv_bin(), "venv", "--quiet", "--clear", "--python", sys.executable, environment],
        check=True,
    )
    return str(environment / "bin" / "python")


@pytest.fixture(params=("3.8", "3.13", "running"))
def python(request: pytest.FixtureRequest, running_python: str) -> str:
    """The oldest version, a new one, and the one that runs the tests."""
    python = running_python if request.param == "running" else interpreter(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not installed")
    return python


@pytest.fixture(scope="session", params=["3.8", "running"])
def scientific_python(request: pytest.FixtureRequest, shared: Path) -> Path:
    """An interpreter with pandas and SciPy: their oldest versions that matter, and the newest."""
    base = sys.executable if request.param == "running" else interpreter(request.param)
    if base is None:
        pytest.skip(f"Python {request.param} is not installed")
    environment = shared / f"scientific-{request.param}"
    python = environment / "bin" / "python"
    with FileLock(f"{environment}.lock"):
        if not (environment / "complete").exists():
            program = uv.find_uv_bin()
            make: list[str | Path] = [
                program,
                "venv",
                "--quiet",
                "--clear",
                "--python",
                base,
                environment,
            ]
            subprocess.run(make, check=True)
            install: list[str | Path] = [program, "pip", "install", "--quiet", "--python", python]
            subprocess.run([*install, "pandas", "scipy"], check=True)
            (environment / "complete").touch()
    return python


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
