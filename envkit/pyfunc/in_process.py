"""Load a model in this process: its code runs here, so `mlflow` is supplied where it is not installed."""

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

_loading = threading.RLock()  # the import system's settings are those of the whole process


def load_here(directory: ModelDirectory, config: Any = None) -> loading.Model:
    """Load a model in this process."""
    with authors_code():
        _forget_code_of_others(directory)
        return loading.load_here(request(directory, config))


@contextmanager
def authors_code() -> Iterator[None]:
    """Run the code of one model at a time, and supply what it imports of `mlflow` where that is not installed."""
    with _loading:
        supplied = fake_mlflow.supply_mlflow()
        try:
            yield
        finally:
            fake_mlflow.remove(supplied)


def _forget_code_of_others(directory: ModelDirectory) -> None:
    """Let modules of an earlier model not be taken for those of this one that have the same names."""
    own = directory.code_path
    if own is None:
        return
    tops = {each.stem for each in own.iterdir() if each.suffix == ".py" or each.is_dir()}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] not in tops or not file or Path(file).is_relative_to(own):
            continue
        if any(
            parent.name == own.name and (parent.parent / FILE_NAME).exists()
            for parent in Path(file).parents
        ):
            del sys.modules[name]
