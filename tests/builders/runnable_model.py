"""A model that runs with packages of a local index, for the stages that build or query."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from envkit.validating.finding import ALWAYS, Stage
from envkit.validating.options import RunOptions
from tests.builders import package_index
from tests.builders.files import write_files
from tests.builders.interpreters import RUNNING
from tests.builders.locks import lock_text
from tests.builders.sound_model import FILES, evidence

CODE = """import acme


class Model:
    def predict(self, data, params=None):
        return [{"price": x * acme.FACTOR, "name": str(x)} for x in data["x"]]


def _load_pyfunc(path):
    return Model()
"""
ANSWER = [{"price": 2.0, "name": "1.0"}, {"price": 5.0, "name": "2.5"}]
ACME = "import other\nVERSION = '{}'\nFACTOR = other.FACTOR\n"


def write_index(folder: Path) -> None:
    """Write acme 0.9 and 1.0, which require other; other 1.0 and 2.0; spare and extra; odd ones."""
    for version in ("0.9", "1.0"):
        package_index.add_wheel(folder, "acme", version, ["other>=1"], ACME.format(version))
    for version in ("1.0", "2.0"):
        package_index.add_wheel(folder, "other", version, [], f"FACTOR = {version}\n")
    package_index.add_wheel(folder, "spare", "1.0", ["extra==1.0"])
    package_index.add_wheel(folder, "extra", "1.0")
    package_index.add_wheel(folder, "fussy", "1.0", ["other<2"])
    package_index.add_wheel(folder, "recalled", "1.0")
    page = folder / "simple" / "recalled" / "index.html"
    page.write_text(page.read_text().replace("<a ", '<a data-yanked="it was broken" '))
    wheel = package_index.add_wheel(folder, "elsewhere", "1.0")
    page = wheel.parent / "index.html"
    page.write_text(page.read_text().replace("py3-none-any", "py3-none-win_amd64"))
    wheel.rename(wheel.parent / wheel.name.replace("py3-none-any", "py3-none-win_amd64"))
    source = folder / "simple" / "source-only"
    source.mkdir()
    (source / "source_only-1.0.tar.gz").write_bytes(b"never opened")
    (source / "index.html").write_text(
        '<a href="source_only-1.0.tar.gz">source_only-1.0.tar.gz</a>\n'
    )


def lock_of(index: Path, *pins: str) -> str:
    """Give a lock of wheels of the index, with their real hashes."""
    packages: list[Mapping[str, Any]] = []
    for pin in pins:
        name, _, version = pin.partition("==")
        wheel = next((index / "simple" / name).glob(f"*-{version}-*.whl"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        file = {
            "url": f"{os.environ['UV_DEFAULT_INDEX']}/{name}/{wheel.name}",
            "hashes": {"sha256": digest},
        }
        packages.append({"name": name, "version": version, "wheels": [file]})
    return lock_text(packages=packages)


def runnable_model(
    path: Path, index: Path, files: Mapping[str, str | bytes | None] | None = None
) -> Path:
    """Make a model that runs with acme and other, as if captured, and lay files over it."""
    write_files(path, {name: text.replace("3.12.7", RUNNING) for name, text in FILES.items()})
    content = yaml.safe_load(FILES["MLmodel"].replace("3.12.7", RUNNING))
    content["saved_input_example_info"] = {
        "artifact_path": "input_example.json",
        "type": "json_object",
    }
    own = {
        "MLmodel": yaml.safe_dump(content),
        "code/loader.py": CODE,
        "input_example.json": '{"x": [1.0, 2.5]}',
        "pylock.toml": lock_of(index, "acme==1.0", "other==2.0"),
    }
    write_files(path, own)
    interpreter = {"implementation": "cpython", "version": RUNNING, "platform": "linux-x86_64"}
    captured = evidence(
        path, interpreter=interpreter, prediction={"input": "input_example.json", "output": ANSWER}
    )
    write_files(path, {"envkit.json": json.dumps(captured)})
    write_files(path, files or {})
    return path


def options_for(model: Path, stage: Stage) -> dict[str, Any]:
    """Give options that request a stage: resolve for Linux, compare with `there` in the model."""
    there = next((str(path) for path in sorted(model.glob("there*"))), "current")
    return {
        "stages": ALWAYS | {stage},
        "targets": ("linux-x86_64:3.12",),
        "audit": True,
        "against": there,
        "run": RunOptions(timeout=60.0),
    }
