"""What every `load_model` of a flavor has in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile, ToolNotFound
from envkit.formats import mlmodel
from envkit.models.directory import ModelDirectory


def opened(
    model_uri: str | Path, flavor: str, dst_path: str | Path | None = None
) -> tuple[ModelDirectory, Any]:
    """Open a model and give it with the section of its flavor; its code can then be imported.

    dst_path: the folder that gets the model's files, where they must be fetched.
    Raises `InvalidFile` without the flavor.
    """
    model = fetched(model_uri, dst_path)
    section = model.mlmodel.flavors.get(flavor)
    if not isinstance(section, Mapping):
        others = ", ".join(model.mlmodel.flavors) or "none"
        raise InvalidFile(
            model.mlmodel_path, f"flavors.{flavor}", f"is missing (flavors: {others})"
        )
    code = section.get("code")
    if code:
        folder = (model.path / str(code)).resolve()
        if folder.is_relative_to(model.path) and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return model, section


def fetched(model_uri: str | Path, dst_path: str | Path | None = None) -> ModelDirectory:
    """Open a model wherever it lies."""
    if dst_path is not None and not Path(dst_path).is_dir():
        raise InvalidArgument(f"dst_path: there is no folder {dst_path}.")
    return ModelDirectory.open(model_uri)


def load_pyfunc(path: str | Path, loader: Callable[[str, Mapping[str, Any]], Any]) -> Any:
    """Load a model by its loader of `envkit.inside.loaders`; it has `predict(data, params)`.

    path: the model directory, or its data, which MLflow gives its loaders.
    """
    model = holding(path)
    return loader(str(model.data_path or model.path), model.request())


def holding(path: str | Path) -> ModelDirectory:
    """Open the model that a path is of: its directory, or something in it."""
    folder = Path(path)
    while not (folder / mlmodel.FILE_NAME).is_file() and folder.parent != folder:
        folder = folder.parent
    return ModelDirectory.open(folder if folder.parent != folder else path)


def library(name: str, distribution: str | None = None) -> Any:
    """Import the library of a flavor. Raises `ToolNotFound` when it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        wanted = distribution or name
        raise ToolNotFound(
            wanted, f"Models of this flavor need it: `pip install {wanted}`."
        ) from error
