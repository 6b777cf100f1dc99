"""What every `load_model` of a flavor shares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile, ToolNotFound
from envkit.formats import mlmodel
from envkit.models.directory import ModelDirectory


def open_flavor(
    model_uri: str | Path, flavor: str, dst_path: str | Path | None = None
) -> tuple[ModelDirectory, Any]:
    """Open a model and return it with the section of a flavor; its code can then be imported.

    dst_path: existing folder for the files of a remote model. Raises `InvalidFile` if the model
    does not have the flavor.
    """
    if dst_path is not None and not Path(dst_path).is_dir():
        raise InvalidArgument(f"dst_path: there is no folder {dst_path}.")
    model = ModelDirectory.open(model_uri)
    section = model.mlmodel.flavors.get(flavor)
    if not isinstance(section, Mapping):
        others = ", ".join(model.mlmodel.flavors) or "none"
        problem = f"is missing (flavors: {others})"
        raise InvalidFile(model.mlmodel_path, f"flavors.{flavor}", problem)
    _import_from(model, section.get("code"))
    return model, section


def load_pyfunc(path: str | Path, loader: Callable[[str, Mapping[str, Any]], Any]) -> Any:
    """Load a model with a loader of `envkit.inside.loaders`; it has `predict(data, params)`.

    path: the model directory, or the data in it, which MLflow passes to its loaders.
    """
    model = model_around(path)
    return loader(str(model.data_path or model.path), model.request())


def model_around(path: str | Path) -> ModelDirectory:
    """Open the model directory that is or contains a path."""
    for folder in (Path(path), *Path(path).parents):
        # The root is never a model.
        if folder.parent != folder and (folder / mlmodel.FILE_NAME).is_file():
            return ModelDirectory.open(folder)
    return ModelDirectory.open(path)


def library(name: str, distribution: str | None = None) -> Any:
    """Import the library of a flavor; raise `ToolNotFound` if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        package = distribution or name
        raise ToolNotFound(
            package, f"Models of this flavor need it: `pip install {package}`."
        ) from error


def _import_from(model: ModelDirectory, code: Any) -> None:
    """Let the code folder of a model be imported."""
    if not code:
        return
    folder = (model.path / str(code)).resolve()
    if folder.is_relative_to(model.path) and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
