"""The fields of an `MLmodel` that name files or folders of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.formats.mlmodel import R_FLAVOR, MLModel

FLAVOR = "flavors.python_function"
_OF_LIBRARIES = (  # what the flavors of libraries call their files
    "code",
    "data",
    "model_binary",
    "model_data",
    "model_path",
    "peft_adaptor",
    "pickled_model",
    "saved_model_dir",
)


def named_paths(mlmodel: MLModel) -> Iterator[tuple[str, str]]:
    """Yield each field that names a path, with its value."""
    example = mlmodel.example
    if example is not None:
        yield "saved_input_example_info.artifact_path", example.path
        if example.serving_path is not None:
            yield "saved_input_example_info.serving_input_path", example.serving_path
    yield from _of_libraries(mlmodel)
    flavor = mlmodel.python_function
    if flavor is None:
        return
    for field in ("code", "data", "python_model", "conda_env", "python_env"):
        value = getattr(flavor, field)
        if value is not None:
            yield f"{FLAVOR}.{'env' if field.endswith('_env') else field}", value
    for name, value in flavor.artifacts.items():
        yield f"{FLAVOR}.artifacts.{name}.path", value
    if isinstance(flavor.config, str):
        yield f"{FLAVOR}.config", flavor.config
    # MLflow keeps the path it was saved from, and reads the last part
    if flavor.model_code_path is not None:
        yield f"{FLAVOR}.model_code_path", re.split(r"[/\\]", flavor.model_code_path)[-1]


def _of_libraries(mlmodel: MLModel) -> Iterator[tuple[str, str]]:
    for name, fields in mlmodel.flavors.items():
        for field in _OF_LIBRARIES if isinstance(fields, dict) else ():
            if isinstance(fields.get(field), str):
                yield f"flavors.{name}.{field}", fields[field]
    crate = mlmodel.flavors.get(R_FLAVOR)
    if isinstance(crate, dict) and isinstance(crate.get("model"), str):
        yield f"flavors.{R_FLAVOR}.model", crate["model"]
