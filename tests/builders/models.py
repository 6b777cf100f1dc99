"""Model directories: the `MLmodel` file, code, and the environment files next to it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.builders.files import write_files

EXAMPLE_FILE = "input_example.json"


def write_mlmodel(
    folder: Path,
    loader_module: str = "loader",
    *,
    flavors: Mapping[str, Any] | None = None,
    signature: Mapping[str, Any] | None = None,
    example: bool = False,
    document: Mapping[str, Any] | None = None,
    **flavor: Any,
) -> Path:
    """Write an `MLmodel` whose `python_function` flavor has these fields; gives the folder.

    Args:
        folder: The model directory; it is made where it is missing.
        loader_module: The flavor's loader.
        flavors: Further flavors; they come first, as in files that MLflow writes.
        signature: Its `inputs`, `outputs` and `params`, each to be written as JSON text.
        example: Name `input_example.json` as the saved input example.
        document: Further keys of the file.
        **flavor: Further fields of the `python_function` flavor, such as `code="code"`.
    """
    python_function = {"loader_module": loader_module, **flavor}
    content: dict[str, Any] = {"flavors": {**(flavors or {}), "python_function": python_function}}
    if example:
        content["saved_input_example_info"] = {
            "artifact_path": EXAMPLE_FILE,
            "type": "json_object",
        }
    if signature is not None:
        content["signature"] = {part: json.dumps(value) for part, value in signature.items()}
    content.update(document or {})
    return write_files(folder, {"MLmodel": yaml.safe_dump(content, sort_keys=False)})


def write_model(
    folder: Path,
    code: str | Mapping[str, str],
    *,
    requirements: str | None = None,
    python: str | None = None,
    example: Any = None,
    **mlmodel: Any,
) -> Path:
    """Write a model directory that brings its own code; gives the folder.

    Args:
        folder: The model directory.
        code: The text of the loader module, or the texts of several files below `code/`.
        requirements: The text of `requirements.txt`.
        python: The version that `python_env.yaml` names.
        example: An input example.
        **mlmodel: Arguments of `write_mlmodel`.
    """
    loader_module = mlmodel.pop("loader_module", "loader")
    if isinstance(code, str):
        code = {f"{loader_module}.py": code}
    write_files(folder / "code", code)
    write_environment(folder, requirements=requirements, python=python)
    if example is not None:
        write_files(folder, {EXAMPLE_FILE: json.dumps(example)})
    fields: dict[str, Any] = {"code": "code", "example": example is not None, **mlmodel}
    return write_mlmodel(folder, loader_module, **fields)


def write_environment(
    folder: Path, *, requirements: str | None = None, python: str | None = None
) -> Path:
    """Write `requirements.txt`, and a `python_env.yaml` that installs it; gives the folder."""
    if requirements is not None:
        write_files(folder, {"requirements.txt": requirements})
    if python is not None:
        dependencies = ["-r requirements.txt"] if requirements is not None else []
        python_env = {"python": python, "dependencies": dependencies}
        write_files(folder, {"python_env.yaml": yaml.safe_dump(python_env, sort_keys=False)})
    return folder


def loader_code(predict: str = "return data", *, top: str = "", load: str = "") -> str:
    """Give the text of a loader module.

    Args:
        predict: The body of `Model.predict(self, data, params=None)`.
        top: Statements at its top, such as imports.
        load: Statements of `_load_pyfunc(path)` before it returns the model.
    """
    body = textwrap.indent(textwrap.dedent(predict).strip(), 8 * " ")
    loading = textwrap.indent(textwrap.dedent(load).strip(), 4 * " ")
    return (
        f"{top}\n\n\n"
        f"class Model:\n    def predict(self, data, params=None):\n{body}\n\n\n"
        f"def _load_pyfunc(path):\n{loading}\n    return Model()\n"
    )


def write_conda_yaml(folder: Path, channels: list[str], dependencies: list[Any]) -> Path:
    """Write `conda.yaml` with these channels and dependencies; gives the folder."""
    content = {"channels": channels, "dependencies": dependencies}
    return write_files(folder, {"conda.yaml": json.dumps(content)})
