"""Load a model in this process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envkit.formats.mlmodel import FILE_NAME
from envkit.inside import loading
from envkit.inside.author import fake_mlflow
from envkit.models.directory import ModelDirectory
from envkit.pyfunc.configuration import request

# The settings of the import system are those of the whole process.
_importing = threading.RLock()


def load_here(directory: ModelDirectory, config: Any = None) -> loading.Model:
    """Load a model in this process."""
    with authors_code():
        _forget_code_of_others(directory)
        return loading.load_here(request(directory, config))


@contextmanager
def authors_code() -> Iterator[None]:
    """Run the code of one model at a time, with the names of `mlflow` that it imports.

    They are supplied where MLflow is not installed.
    """
    with _importing:
        supplied = fake_mlflow.supply_mlflow()
        try:
            yield
        finally:
            fake_mlflow.remove(supplied)


def _forget_code_of_others(directory: ModelDirectory) -> None:
    """Remove modules of other models that have the names of this model's modules."""
    code = directory.code_path
    if code is None:
        return
    own_names = {path.stem for path in code.iterdir() if path.suffix == ".py" or path.is_dir()}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name.partition(".")[0] not in own_names:
            continue
        if not Path(file).is_relative_to(code) and _is_of_model(Path(file), code.name):
            del sys.modules[name]


def _is_of_model(file: Path, code_folder: str) -> bool:
    """Return whether a file is in the code folder of a model directory."""
    return any(
        folder.name == code_folder and (folder.parent / FILE_NAME).exists()
        for folder in file.parents
    )
