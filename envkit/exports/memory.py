"""How much memory a model needs: measured by one prediction on its example."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

from envkit.environments.reproduction import predict, prepare_env
from envkit.exports.service import MEGABYTE
from envkit.models.directory import ModelDirectory

SERVER = 96 * MEGABYTE  # of the server itself, and of bodies of requests
_UNKNOWN = 512 * MEGABYTE  # of libraries, for a model that cannot be measured
_EXAMPLE = "serving_input_example.json"
_KILOBYTE = 1024


def needed_memory(model: ModelDirectory, workers: int, report: Callable[[str], None]) -> int:
    """Give the bytes that the server and its workers need.

    The model is loaded and predicts once, in its environment, which is built unless it is there. A
    model without an example is estimated by its size. Raises what `predict` raises.
    """
    example = model.file(_EXAMPLE)
    if example is None:
        report(f"{model.path.name} has no example: its memory is estimated by its size.")
        return SERVER + workers * (_UNKNOWN + 2 * _size(model.path))
    prepare_env(model.path, report=report)
    report(f"Measuring the memory of {model.path.name}")
    predict(model.path, input_path=example, report=report)
    # the largest of all children so far: an installer that was larger errs on the safe side
    return SERVER + workers * _largest_child()


def _largest_child() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _KILOBYTE


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
