"""The files of a Keras model, which the flavors `keras` and `tensorflow` share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.flavors._shared import loading, pickling
from envkit.inside.loaders import keras as loader


def write(
    folder: Path,
    module: str,
    model: Any,
    custom_objects: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    suffix: str = ".keras",
) -> None:
    """Write the model into a new folder, with the classes and functions of the author's that it needs, pickled.

    module: Keras' own, `keras` or `tensorflow.keras`. custom_objects: such classes and functions by
    name, beside those that are registered with Keras. options: of the model's `save`.
    """
    begin(folder, module)
    pickled = zip(
        loader.CUSTOM_OBJECTS, (_registered(module, model), dict(custom_objects or {})), strict=True
    )
    for name, found in pickled:
        if found:
            pickling.writer(found, "cloudpickle", None)(folder / name)
    model.save(folder / f"model{suffix}", **options)


def begin(folder: Path, module: str) -> None:
    """Make the folder and say in it whose model it is."""
    folder.mkdir()
    (folder / "keras_module.txt").write_text(module, encoding="utf-8")


def _registered(module: str, model: Any) -> dict[str, Any]:
    """Give what the model names of all that was registered by `register_keras_serializable`."""
    saving = loading.library(f"{module}.saving", module.partition(".")[0])
    registered: Mapping[str, Any] = saving.get_custom_objects()
    if not registered:
        return {}
    named = json.dumps(saving.serialize_keras_object(model), default=str)
    return {name: value for name, value in registered.items() if json.dumps(name) in named}
