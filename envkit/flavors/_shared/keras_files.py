"""The files of a Keras model, which the flavors `keras` and `tensorflow` share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.flavors._shared import loading, pickling
from envkit.inside.loaders import keras as loader

REGISTERED, GIVEN = loader.CUSTOM_OBJECTS


def write(
    folder: Path,
    module: str,
    model: Any,
    custom_objects: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    suffix: str = ".keras",
) -> None:
    """Write a model into a new folder, with the author's classes and functions, pickled.

    module: Keras, `keras` or `tensorflow.keras`. custom_objects: classes and functions by name,
    in addition to those that are registered with Keras. options: arguments of `model.save`.
    """
    create_folder(folder, module)
    pickled = {
        REGISTERED: _registered_objects(module, model),
        GIVEN: dict(custom_objects or {}),
    }
    for name, objects in pickled.items():
        if objects:
            pickling.writer(objects, "cloudpickle", None)(folder / name)
    model.save(folder / f"model{suffix}", **options)


def create_folder(folder: Path, module: str) -> None:
    """Create the folder, and record which Keras the model belongs to."""
    folder.mkdir()
    (folder / "keras_module.txt").write_text(module, encoding="utf-8")


def _registered_objects(module: str, model: Any) -> dict[str, Any]:
    """Return what `register_keras_serializable` registered and the model uses."""
    saving = loading.library(f"{module}.saving", module.partition(".")[0])
    registered: Mapping[str, Any] = saving.get_custom_objects()
    if not registered:
        return {}
    description = json.dumps(saving.serialize_keras_object(model), default=str)
    return {name: value for name, value in registered.items() if json.dumps(name) in description}
