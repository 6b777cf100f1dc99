"""`MLmodel`: what a model is and how it is loaded.

https://mlflow.org/docs/latest/ml/model/#storage-format

The file contains much that envkit does not use, and that differs between versions of MLflow. All of
it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats.document import Document, dump_yaml

FILE_NAME = "MLmodel"
# a function of R, and its data
R_FLAVOR = "crate"


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonFunction:
    """The flavor `python_function`.

    Paths are as in the file, relative to the model directory, None where missing. conda_env,
    python_env: the files of the environment; before MLflow 2, `env` was one text, which is
    `conda_env` here. artifacts: name → path. fields: the whole flavor as in the file.
    """

    loader_module: str
    code: str | None
    data: str | None
    conda_env: str | None
    python_env: str | None
    model_code_path: str | None
    python_model: str | None
    artifacts: Mapping[str, str]
    config: Mapping[str, Any] | str | None
    streamable: bool
    cloudpickle_version: str | None
    python_version: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class InputExample:
    """`saved_input_example_info`: the example, the same as a request, and its format."""

    path: str
    kind: str | None
    serving_path: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class MLModel:
    """The file. content: all of it, in its order; the other fields are what envkit reads from that.

    python_function: None for a model that has only other flavors. signature: its parts are JSON
    texts, as MLflow stores them. variables: `env_vars`, the names of environment variables.
    """

    content: Mapping[str, Any]
    flavors: Mapping[str, Any]
    python_function: PythonFunction | None
    signature: Mapping[str, Any] | None
    example: InputExample | None
    variables: tuple[str, ...]
    mlflow_version: str | None

    @property
    def runs_in_r(self) -> bool:
        """Whether R runs the model: it has R's flavor and not Python's, which comes first."""
        return self.python_function is None and isinstance(self.flavors.get(R_FLAVOR), dict)

    @property
    def is_signature_from_type_hint(self) -> bool:
        """Whether the type hint of `predict` defines the input, and its signature only shows it."""
        return bool(self.content.get("is_signature_from_type_hint"))

    @property
    def is_input_from_example(self) -> bool:
        """Whether the input has the form of the input example, a list for example."""
        return bool(self.content.get("type_hint_from_example"))

    def with_fields(self, **fields: Any) -> MLModel:
        """Replace keys of the top level, which keep their places; None removes a key."""
        return of(Document(_updated(self.content, fields), Path(FILE_NAME)))

    def with_python_function(self, **fields: Any) -> MLModel:
        """Replace keys of the flavor `python_function`; None removes a key."""
        flavor = _updated(self.flavors.get("python_function") or {}, fields)
        return self.with_fields(flavors={**self.flavors, "python_function": flavor})


def read(path: Path) -> MLModel:
    """Read the file. Raises `InvalidFile`, which names the key that breaks the format."""
    return of(Document.load(path))


def parse(content: Mapping[str, Any], path: Path) -> MLModel:
    """Make the model of the content of a file; the path is for the errors. Raises `InvalidFile`."""
    return of(Document(content, path))


def resources(path: Path) -> Mapping[str, Any]:
    """Read a `resources.yaml`: the services that a served model calls. Raises `InvalidFile`."""
    return Document.load(path).content


def dumps(model: MLModel) -> str:
    """Give the text of the file: everything that was read, in its order."""
    return dump_yaml(model.content)


def of(document: Document) -> MLModel:
    """Make the model of a document. Raises `InvalidFile`."""
    flavors = document.mapping("flavors")
    for name in flavors.content:
        flavors.optional_mapping(name)
    python_function = flavors.optional_mapping("python_function")
    signature = document.optional_mapping("signature")
    example = document.optional_mapping("saved_input_example_info")
    return MLModel(
        content=document.content,
        flavors=flavors.content,
        python_function=_python_function(python_function) if python_function else None,
        signature=signature.content if signature else None,
        example=_input_example(example) if example else None,
        variables=document.texts("env_vars"),
        mlflow_version=document.optional_text("mlflow_version"),
    )


def _python_function(flavor: Document) -> PythonFunction:
    conda_env, python_env = _env(flavor)
    config = flavor.content.get("config")
    if config is not None and not isinstance(config, dict | str):
        flavor.refuse("config", "keys with values, or a path", config)
    streamable = flavor.content.get("streamable")
    if streamable is not None and not isinstance(streamable, bool):
        flavor.refuse("streamable", "true or false", streamable)
    return PythonFunction(
        loader_module=_loader_module(flavor),
        code=flavor.optional_text("code"),
        data=flavor.optional_text("data"),
        conda_env=conda_env,
        python_env=python_env,
        model_code_path=flavor.optional_text("model_code_path"),
        python_model=flavor.optional_text("python_model"),
        artifacts=_artifacts(flavor),
        config=config,
        streamable=bool(streamable),
        cloudpickle_version=flavor.optional_text("cloudpickle_version"),
        python_version=flavor.optional_text("python_version"),
        fields=flavor.content,
    )


def _loader_module(flavor: Document) -> str:
    name = flavor.text("loader_module")
    if not all(part.isidentifier() for part in name.split(".")):
        problem = f"'{name}' is not the name of a module"
        raise InvalidFile(flavor.path, flavor.key("loader_module"), problem)
    return name


def _env(flavor: Document) -> tuple[str | None, str | None]:
    if isinstance(flavor.content.get("env"), str):
        return flavor.optional_text("env"), None
    env = flavor.optional_mapping("env")
    if env is None:
        return None, None
    return env.optional_text("conda"), env.optional_text("virtualenv")


def _artifacts(flavor: Document) -> dict[str, str]:
    """Give the path of each artifact in the model; MLflow records in `uri` where it came from."""
    artifacts = flavor.optional_mapping("artifacts")
    if artifacts is None:
        return {}
    return {name: artifacts.mapping(name).text("path") for name in artifacts.content}


def _input_example(info: Document) -> InputExample:
    return InputExample(
        path=info.text("artifact_path"),
        kind=info.optional_text("type"),
        serving_path=info.optional_text("serving_input_path"),
        fields=info.content,
    )


def _updated(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    updated = {**old, **new}
    for key, value in new.items():
        if value is None:
            del updated[key]
    return updated
