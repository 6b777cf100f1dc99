"""A model whose loader is its own code, next to a site folder that it imports from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from tests.builders.files import write_files
from tests.builders.models import write_mlmodel
from tests.builders.sites import Site

LOADER = """
import {imports}

class Model:
    def predict(self, data):
        if data is None:
            {branch}
        return 1

def _load_pyfunc(path):
    return Model()
"""


class ModelCase:
    """A model directory that a test changes step by step and captures."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.path = folder
        self.site = site
        self.mlmodel()
        self.loader()

    def mlmodel(self, **more: Any) -> None:
        """Write `MLmodel` again, with these arguments of `write_mlmodel`."""
        write_mlmodel(self.path, code="code", **more)

    def loader(self, imports: str = "os", branch: str = "pass") -> None:
        """Write the loader: what it imports, and a statement that prediction never reaches."""
        self.code("loader.py", LOADER.format(imports=imports, branch=branch))

    def code(self, name: str, text: str) -> None:
        """Write a file of the model's code."""
        write_files(self.path / "code", {name: text})

    def example(self) -> None:
        """Write an input example."""
        write_files(self.path, {"input_example.json": '{"inputs": [1]}'})

    def install(self, *names: str, **more: Any) -> None:
        """Install distributions of one module each into the site folder."""
        for name in names:
            self.site.install(name, files={f"{name}.py": "x = 1\n"}, **more)

    def bare(self) -> Path:
        """Make an interpreter in whose environment only the site folder is installed."""
        folder = self.path.parent / "bare"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        return folder / "bin" / "python"

    def capture(self, **options: bool | float | Path) -> Capture:
        """Capture the model without writing its files."""
        return capture(self.path, **{"write": False, **options})  # type: ignore[arg-type]
