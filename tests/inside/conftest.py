"""Starts the real program in real interpreters and gives what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uv
from filelock import FileLock

import envkit

PROGRAM = Path(envkit.__file__).resolve().parent / "inside" / "__main__.py"
MINORS = tuple(f"3.{minor}" for minor in range(8, 15))
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run reported, and how its process ended."""

    events: list[Event]
    status: int
    printed: str

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event["event"] == name]

    def one(self, name: str) -> Event:
        (event,) = self.named(name)
        return event

    def about(self, name: str, module: str) -> list[Event]:
        return [event for event in self.named(name) if event["module"] == module]

    @property
    def modules(self) -> dict[str, str | None]:
        """The file of each module that was told of, in whichever way."""
        found: dict[str, str | None] = {
            event["module"]: event["file"] for event in self.named("module")
        }
        for event in self.named("module-files"):
            found.update(event["files"])
        return found

    @property
    def last(self) -> str:
        return str(self.events[-1]["event"])


def interpreter(minor: str) -> str | None:
    """A Python of that minor version on this machine."""
    if minor == "{}.{}".format(*sys.version_info[:2]):
        return sys.executable
    found = sorted(PYENV.glob(f"{minor}.*/bin/python"))
    return str(found[-1]) if found else None


@pytest.fixture(params=MINORS)
def any_python(request: pytest.FixtureRequest) -> str:
    """Each minor version in turn."""
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    return found


@pytest.fixture(scope="session")
def running_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one that runs the tests, without the libraries of the tests."""
    place = tmp_path_factory.mktemp("running")
    subprocess.run(
        [uv.find_uv_bin(), "venv", "--quiet", "--clear", "--python", sys.executable, place],
        check=True,
    )
    return str(place / "bin" / "python")


@pytest.fixture(params=("3.8", "3.13", "running"))
def python(request: pytest.FixtureRequest, running_python: str) -> str:
    """The oldest, a new one, and the one that runs the tests."""
    found = running_python if request.param == "running" else interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    return found


class Bench:
    """Makes models in a folder and runs the program on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "model"
        self.code = self.model / "code"
        self.code.mkdir(parents=True)

    def module(self, name: str, text: str) -> Path:
        """Write a module of the model's code; `name` may be a path."""
        path = self.code / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def loader(self, load: str = "", predict: str = "return data", top: str = "") -> Path:
        """Write a loader module `loader` from its top level and the bodies of two functions."""
        indented = "\n        ".join(predict.splitlines())
        loading = "\n    ".join((load or "pass").splitlines())
        return self.module(
            "loader",
            f"{top}\n\n\nclass Model:\n    def predict(self, data, params=None):\n        {indented}\n\n\n"
            f"def _load_pyfunc(path):\n    {loading}\n    return Model()\n",
        )

    def request(self, **changes: Any) -> dict[str, Any]:
        if "example" not in changes:
            changes["example"] = self.example([1, 2])
        conf = {"loader_module": "loader", "code": "code", **changes.pop("python_function", {})}
        return {
            "job": "trace",
            "model": str(self.model),
            "python_function": conf,
            "flavors": {"python_function": conf},
            "signature": None,
            "input": None,
            "params": None,
            "output": None,
            "memory_bytes": None,
            **changes,
        }

    def example(self, value: Any, **info: Any) -> dict[str, Any]:
        path = self.model / "input_example.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return {"type": "json_object", **info, "path": str(path)}

    def run(
        self,
        python: str,
        *,
        environment: Mapping[str, str] | None = None,
        flags: tuple[str, ...] = (),
        timeout: float = 60,
        **changes: Any,
    ) -> Report:
        journal = self.folder / "journal.jsonl"
        journal.unlink(missing_ok=True)
        asked = self.folder / "REQUEST.json"
        asked.write_text(
            json.dumps({**self.request(**changes), "journal": str(journal)}), encoding="utf-8"
        )
        ended = subprocess.run(
            [python, *flags, str(PROGRAM), str(asked)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=self.folder,
            timeout=timeout,
            check=False,
        )
        lines = journal.read_text(encoding="utf-8").splitlines()
        printed = ended.stdout.decode("utf-8", errors="replace")
        return Report(
            events=[json.loads(line) for line in lines], status=ended.returncode, printed=printed
        )

    def predict(self, python: str, value: Any, **changes: Any) -> Report:
        """Run the job `predict` on a request; a text is written as it is."""
        path = self.folder / "input"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        source = {"path": str(path), "content_type": changes.pop("content_type", "json")}
        return self.run(
            python, job="predict", example=None, input=source, output=str(self.answer), **changes
        )

    @property
    def answer(self) -> Path:
        return self.folder / "answer.json"

    @property
    def predictions(self) -> Any:
        return json.loads(self.answer.read_text(encoding="utf-8"))["predictions"]


@pytest.fixture(scope="session", params=["3.8", "running"])
def scientific_python(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An interpreter with SciPy and pandas: of the oldest versions that matter, and of the newest."""
    base = interpreter(request.param) if request.param != "running" else sys.executable
    if base is None:
        pytest.skip(f"no Python {request.param} here")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    place = shared / f"scientific-{request.param}"
    with FileLock(f"{place}.lock"):
        if not (place / "complete").exists():
            program = uv.find_uv_bin()
            subprocess.run(
                [program, "venv", "--quiet", "--clear", "--python", base, place], check=True
            )
            install: list[str | Path] = [
                program,
                "pip",
                "install",
                "--quiet",
                "--python",
                place / "bin" / "python",
            ]
            subprocess.run([*install, "pandas", "scipy"], check=True)
            (place / "complete").touch()
    return place / "bin" / "python"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
