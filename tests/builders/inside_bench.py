"""The program of `envkit/inside`, run in a real interpreter on a model that a test makes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envkit

PROGRAM = Path(envkit.__file__).resolve().parent / "inside" / "__main__.py"

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run reported: its events, the status of its process, and its output."""

    events: list[Event]
    status: int
    printed: str

    def named(self, name: str) -> list[Event]:
        """Give the events with this name."""
        return [event for event in self.events if event["event"] == name]

    def one(self, name: str) -> Event:
        """Give the only event with this name."""
        (event,) = self.named(name)
        return event

    def about(self, name: str, module: str) -> list[Event]:
        """Give the events with this name about a module."""
        return [event for event in self.named(name) if event["module"] == module]

    @property
    def modules(self) -> dict[str, str | None]:
        """The file of each module in any event."""
        files: dict[str, str | None] = {
            event["module"]: event["file"] for event in self.named("module")
        }
        for event in self.named("module-files"):
            files.update(event["files"])
        return files

    @property
    def last(self) -> str:
        """The name of the last event."""
        return str(self.events[-1]["event"])


class Bench:
    """A folder in which a model is made and the program runs."""

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
            f"{top}\n\n\nclass Model:\n    def predict(self, data, params=None):\n"
            f"        {indented}\n\n\n"
            f"def _load_pyfunc(path):\n    {loading}\n    return Model()\n",
        )

    def request(self, **changes: Any) -> dict[str, Any]:
        """Give a request for the program, with changes."""
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
        """Write an input example; gives what a request says of it."""
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
        """Run the program with a Python; gives its report."""
        journal = self.folder / "journal.jsonl"
        journal.unlink(missing_ok=True)
        request = self.folder / "REQUEST.json"
        request.write_text(
            json.dumps({**self.request(**changes), "journal": str(journal)}), encoding="utf-8"
        )
        ended = subprocess.run(
            [python, *flags, str(PROGRAM), str(request)],
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
        """Run the job `predict` on a request; text is written unchanged."""
        path = self.folder / "input"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        source = {"path": str(path), "content_type": changes.pop("content_type", "json")}
        return self.run(
            python, job="predict", example=None, input=source, output=str(self.answer), **changes
        )

    @property
    def answer(self) -> Path:
        """The file of the answer."""
        return self.folder / "answer.json"

    @property
    def predictions(self) -> Any:
        """The predictions in the answer."""
        return json.loads(self.answer.read_text(encoding="utf-8"))["predictions"]
