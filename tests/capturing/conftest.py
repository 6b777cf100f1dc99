"""Site folders made by hand: real metadata, a few bytes of code."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from envkit.capturing import capture as capturing
from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.locking.lock import Unlocked

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


@dataclass(frozen=True)
class Site:
    folder: Path

    def install(
        self,
        name: str,
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        direct_url: Mapping[str, object] | None = None,
    ) -> Path:
        """Write the files and the metadata as an installer does; gives the metadata folder."""
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        content = {
            **(files or {}),
            f"{info}/METADATA": "\n".join(lines) + "\n",
            f"{info}/INSTALLER": "test\n",
        }
        if direct_url is not None:
            content[f"{info}/direct_url.json"] = json.dumps(direct_url)
        record = []
        for path, text in content.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            digest = (
                base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
                .rstrip(b"=")
                .decode()
            )
            record.append(f"{path},sha256={digest},{len(text.encode())}")
        record.append(f"{info}/RECORD,,")
        (self.folder / info / "RECORD").write_text("\n".join(record) + "\n", encoding="utf-8")
        return self.folder / info

    def file(self, path: str) -> str:
        return str(self.folder / path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return Site(folder)


class ModelCase:
    """A model whose loader is its own code."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.path, self.site = folder, site
        (folder / "code").mkdir(parents=True)
        self.mlmodel("")
        self.loader()

    def mlmodel(self, more: str, python: str = "") -> None:
        version = f"    python_version: {python}\n" if python else ""
        (self.path / "MLmodel").write_text(
            f"flavors:\n  python_function:\n    loader_module: loader\n    code: code\n{version}{more}",
            encoding="utf-8",
        )

    def loader(self, imports: str = "os", branch: str = "pass") -> None:
        self.code("loader.py", LOADER.format(imports=imports, branch=branch))

    def code(self, name: str, text: str) -> None:
        path = self.path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def example(self) -> None:
        (self.path / "input_example.json").write_text('{"inputs": [1]}', encoding="utf-8")

    def install(self, *names: str, **more: object) -> None:
        for name in names:
            self.site.install(name, files={f"{name}.py": "x = 1\n"}, **more)  # type: ignore[arg-type]

    def bare(self) -> Path:
        """An interpreter in which nothing but the site is installed."""
        folder = self.path.parent / "bare"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        return folder / "bin" / "python"

    def capture(self, **options: bool | Path) -> Capture:
        return capture(self.path, **{"write": False, **options})  # type: ignore[arg-type]


@pytest.fixture
def case(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> ModelCase:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site.folder)]))
    monkeypatch.setattr(
        capturing, "lock", lambda *_, **__: Unlocked(reasons=("no network in tests",))
    )
    return ModelCase(tmp_path / "model", site)
