"""The layer of the model, which is last, since it changes most often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from envkit.environments.packing.members import Member, of_file
from envkit.errors import InvalidArgument, InvalidFile
from envkit.images import places
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer
from envkit.models.directory import ModelDirectory

_LEFT_OUT = {".git", "__pycache__", ".ipynb_checkpoints"}


def open_model(uri: str | Path) -> ModelDirectory:
    """Open a model that can be put into an image.

    Raises what opening a model raises, and `InvalidArgument` for an artifact, whose folder may
    hold anything, and for a model of R.
    """
    model = ModelDirectory.open(uri)
    if model.artifact is not None:
        raise InvalidArgument(
            f"{uri} is an artifact, not a model directory. "
            "Make one first: `envkit capture ARTIFACT --output-path DIR`."
        )
    if model.mlmodel.runs_in_r:
        raise InvalidArgument(f"{uri} runs in R. Images are built for models that run in Python.")
    return model


def model_layer(factory: LayerFactory, folder: Path) -> CachedLayer:
    """Make the layer with the files of a model. Raises `InvalidFile`, `OSError`."""
    return factory.new(f"model {folder.name}", places.MODEL, files(folder))


def files(folder: Path) -> Iterator[Member]:
    """Yield a model's files and links, sorted. Raises `InvalidFile` for a link that leads out."""
    root = Path(os.path.realpath(folder))
    for parent, folders, names in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(set(folders) - _LEFT_OUT - set(linked))
        for name in sorted([*names, *linked]):
            path = Path(parent, name)
            inner = path.relative_to(folder).as_posix()
            target = Path(os.path.realpath(path))
            if not target.is_relative_to(root):
                raise InvalidFile(path, "", "is a link that leads out of the model")
            if path.is_symlink():
                yield Member(name=inner, link=os.path.relpath(target, os.path.realpath(parent)))
            elif path.is_file():
                yield of_file(path, inner)
