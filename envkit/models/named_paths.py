"""The fields of `MLmodel` that name files or folders of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from envkit.formats.mlmodel import R_FLAVOR, MLModel, PythonFunction

FLAVOR = "flavors.python_function"
# What the flavors of libraries call their files.
_LIBRARY_FIELDS: tuple[str, ...] = (
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
    """Yield each field that names a path, with the path."""
    example = mlmodel.example
    if example is not None:
        yield "saved_input_example_info.artifact_path", example.path
        if example.serving_path is not None:
            yield "saved_input_example_info.serving_input_path", example.serving_path
    for name, section in mlmodel.flavors.items():
        if isinstance(section, dict):
            yield from _of_library(name, section)
    if mlmodel.python_function is not None:
        yield from _of_python_function(mlmodel.python_function)


def _of_python_function(flavor: PythonFunction) -> Iterator[tuple[str, str]]:
    for field in ("code", "data", "python_model"):
        value = getattr(flavor, field)
        if value is not None:
            yield f"{FLAVOR}.{field}", value
    for value in (flavor.conda_env, flavor.python_env):
        if value is not None:
            yield f"{FLAVOR}.env", value
    for name, value in flavor.artifacts.items():
        yield f"{FLAVOR}.artifacts.{name}.path", value
    if isinstance(flavor.config, str):
        yield f"{FLAVOR}.config", flavor.config
    if flavor.model_code_path is not None:
        # MLflow records the path that it saved from, and reads the last part of it.
        yield f"{FLAVOR}.model_code_path", re.split(r"[/\\]", flavor.model_code_path)[-1]


def _of_library(name: str, section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    fields = _LIBRARY_FIELDS
    if name == R_FLAVOR:
        fields += ("model",)
    for field in fields:
        value = section.get(field)
        if isinstance(value, str):
            yield f"flavors.{name}.{field}", value
