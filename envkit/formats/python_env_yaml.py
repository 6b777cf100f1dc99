"""`python_env.yaml`: the interpreter a model needs and what to install in it.

https://mlflow.org/docs/latest/ml/model/#environment-recreation
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envkit.formats.document import Document, dump_yaml

FILE_NAME = "python_env.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonEnv:
    """One interpreter, then two installs in this order.

    python: its version, `3.11.7`. build_dependencies, dependencies: lines of a requirements file;
    MLflow writes `-r requirements.txt` as the only dependency.
    """

    python: str
    build_dependencies: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()


def read(path: Path) -> PythonEnv:
    """Read the file. Raises `InvalidFile`, which names the key that breaks the format."""
    document = Document.load(path)
    return PythonEnv(
        python=document.text("python"),
        build_dependencies=document.texts("build_dependencies"),
        dependencies=document.texts("dependencies"),
    )


def dumps(env: PythonEnv) -> str:
    """Give the text of the file; empty lists are left out."""
    content: dict[str, object] = {"python": env.python}
    if env.build_dependencies:
        content["build_dependencies"] = list(env.build_dependencies)
    if env.dependencies:
        content["dependencies"] = list(env.dependencies)
    return dump_yaml(content)
