"""A model as its `MLmodel` file describes it, made and changed in Python.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html#mlflow.models.Model
"""

from __future__ import annotations

import datetime
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO

from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats import mlmodel
from envkit.formats.file_set import write_files
from envkit.models import input_example, mlflow_logging
from envkit.models.directory import ModelDirectory
from envkit.models.model_info import ModelInfo
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import Schema
from envkit.models.signature import ModelSignature
from envkit.models.uris.naming import shown
from envkit.models.uris.required_files import DESCRIPTION

# written although they are None
_ALWAYS = ("flavors", "model_id", "model_uuid", "prompts", "utc_time_created")
_OF_SIGNATURE = {
    "is_signature_from_type_hint": "from_type_hint",
    "type_hint_from_example": "from_example",
}


@dataclass(slots=True)
class Model:
    """A model's description.

    artifact_path, run_id, model_id: where it was logged. utc_time_created: a text, now by default.
    flavors: how it is loaded, by name. signature: what it takes and gives.
    saved_input_example_info: the example's files. model_uuid: a name of its own, made when none is
    given. mlflow_version: of the MLflow that wrote it. metadata: what the author says of it.
    model_size_bytes: of its files. resources, auth_policy: what serving must reach, and as whom.
    env_vars: names of environment variables. prompts: URIs of prompts. other: fields of the file
    that have no attribute here; they are written as they were read.
    """

    artifact_path: str | None = None
    run_id: str | None = None
    utc_time_created: str = field(default_factory=lambda: _now())
    flavors: dict[str, Any] = field(default_factory=dict)
    signature: ModelSignature | None = None
    saved_input_example_info: dict[str, Any] | None = None
    model_uuid: str | None = field(default_factory=lambda: uuid.uuid4().hex)
    mlflow_version: str | None = None
    metadata: dict[str, Any] | None = None
    model_size_bytes: int | None = None
    resources: Any = None
    env_vars: list[str] | None = None
    auth_policy: Any = None
    model_id: str | None = None
    prompts: list[str] | None = None
    other: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given: Any = self.signature
        if isinstance(given, Mapping):
            self.signature = _signature(given, {})
        names: Any = self.env_vars
        if names is not None and not (
            isinstance(names, list) and all(isinstance(name, str) for name in names)
        ):
            raise InvalidArgument(f"env_vars are a list of names, not {names!r}.")
        self.resources = _resources(self.resources)
        if hasattr(self.auth_policy, "to_dict"):
            self.auth_policy = self.auth_policy.to_dict()

    def add_flavor(self, name: str, **params: Any) -> Model:
        """Say how the model is loaded as this flavor; a flavor that is there is replaced. Gives the model."""
        self.flavors[name] = params
        return self

    def get_input_schema(self) -> Schema | None:
        """Give the schema of the inputs; None without one."""
        if self.signature:
            return self.signature.inputs
        return None

    def get_output_schema(self) -> Schema | None:
        """Give the schema of the outputs; None without one."""
        if self.signature:
            return self.signature.outputs
        return None

    def get_params_schema(self) -> ParamSchema | None:
        """Give the schema of the parameters; None without one."""
        if self.signature:
            return self.signature.params
        return None

    def load_input_example(self, path: str | Path) -> Any:
        """Give the input example of the model in that directory, as it was saved; None when it has none.

        A data frame needs pandas, an array NumPy. Raises `InvalidFile` when the file is missing or
        malformed.
        """
        return self._example(path, input_example.load)

    def load_input_example_params(self, path: str | Path) -> dict[str, Any] | None:
        """Give the parameters that were saved with the input example; None when there are none."""
        found: dict[str, Any] | None = self._example(path, input_example.load_params)
        return found

    def get_serving_input(self, path: str | Path) -> str | None:
        """Give the text of the input example as a request to a scoring server; None when there is none."""
        found: str | None = self._example(path, input_example.load_serving)
        return found

    def _example(self, path: str | Path, load: Any) -> Any:
        if self.saved_input_example_info is None:
            return None
        signature = self.signature.to_dict() if self.signature else None
        return load(ModelDirectory.open(path), self.saved_input_example_info, signature)

    def get_model_info(self) -> ModelInfo:
        """Give what `log_model` gives of a model."""
        if self.model_id:
            uri = f"models:/{self.model_id}"
        else:
            uri = f"runs:/{self.run_id}/{self.artifact_path}"
        known = {
            each.name: getattr(self, each.name)
            for each in fields(ModelInfo)
            if hasattr(self, each.name)
        }
        return ModelInfo(**known, model_uri=uri)

    def to_dict(self) -> dict[str, Any]:
        """Give what the file holds, its keys in order of their names; what is None is left out as MLflow does."""
        known = {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "other"
        }
        found = {
            **self.other,
            **{
                name: value for name, value in known.items() if value is not None or name in _ALWAYS
            },
        }
        if self.signature is not None:
            found["signature"] = self.signature.to_dict()
            found.update(
                {key: getattr(self.signature, name) for key, name in _OF_SIGNATURE.items()}
            )
        return {name: deepcopy(found[name]) for name in sorted(found)}

    def to_yaml(self, stream: TextIO | None = None) -> str:
        """Give the text of the file, and write it to the stream if there is one. Raises `InvalidFile`."""
        text = mlmodel.dumps(mlmodel.parse(self.to_dict(), Path(mlmodel.FILE_NAME)))
        if stream is not None:
            stream.write(text)
        return text

    def to_json(self) -> str:
        """Give the same as JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return self.to_yaml()

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all: `path` is the file, or the directory of the model.

        Raises `InvalidFile` for a flavor that MLflow could not read, `InvalidInput` when it cannot
        be written.
        """
        target = Path(path)
        if target.is_dir():
            target = target / mlmodel.FILE_NAME
        write_files(target.parent, {target.name: self.to_yaml()})

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read the file, by its own path or that of the model's directory, or by the model's URI.

        Raises `ModelNotFound`, `InvalidFile`, `PathOutsideModel` and whatever opening a model of
        that kind raises.
        """
        text = str(path)
        place = text.removesuffix(f"/{mlmodel.FILE_NAME}") or "/"
        if text == mlmodel.FILE_NAME:
            place = "."
        model = ModelDirectory.open(Path(place) if isinstance(path, Path) else place, DESCRIPTION)
        return cls._of(model.mlmodel.content, model.mlmodel_path)

    @classmethod
    def from_dict(cls, model_dict: Mapping[str, Any]) -> Model:
        """Make the model that `to_dict`, or MLflow's, gave. Raises `InvalidFile` for what breaks the format."""
        return cls._of(model_dict, Path(mlmodel.FILE_NAME))

    @classmethod
    def _of(cls, content: Mapping[str, Any], path: Path) -> Model:
        mlmodel.parse(content, path)
        rest = deepcopy(dict(content))
        try:
            signature = _signature(rest.pop("signature", None), rest)
        except InvalidArgument as error:
            raise InvalidFile(path, "signature", str(error).rstrip(".")) from error
        names = {each.name for each in fields(cls)} - {"other", "signature"}
        known = {name: rest.pop(name) for name in names if name in rest}
        absent = {"model_uuid": None, "utc_time_created": ""}
        made = cls(**{**absent, **known}, signature=signature, other=rest)
        made.flavors = made.flavors or {}
        return made

    @classmethod
    def log(
        cls,
        artifact_path: str | None = None,
        flavor: Any = None,
        registered_model_name: str | None = None,
        await_registration_for: int | None = 300,
        *,
        name: str | None = None,
        run_id: str | None = None,
        model_type: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> ModelInfo:
        """Save a model with `flavor.save_model` and log it to MLflow's tracking server.

        flavor: a module or object with `save_model(path, mlflow_model=…, **kwargs)`. name, or
        artifact_path: what it is called. registered_model_name: make it a version of that
        registered model. await_registration_for: seconds that its readiness is waited for, 0 or
        None not at all. run_id: default the active run; with MLflow 3 none is needed, before that
        one is started. model_type, params, tags: of the model, with MLflow 3.

        Raises `ToolNotFound` without `mlflow-skinny`, and whatever `save_model` and MLflow's client
        raise.
        """
        model = cls(artifact_path=name or artifact_path or "model")
        told = {
            key: value
            for key, value in (("model_type", model_type), ("params", params), ("tags", tags))
            if value
        }
        wishes = mlflow_logging.Wishes(
            registered_model_name=registered_model_name,
            wait=await_registration_for,
            run_id=run_id,
            told=told,
        )
        version = mlflow_logging.log(model, flavor, wishes, kwargs)
        info = model.get_model_info()
        info.registered_model_version = version
        return info


def get_model_info(model_uri: str | Path) -> ModelInfo:
    """Give what the `MLmodel` of a model says. Raises as `Model.load`."""
    info = Model.load(model_uri).get_model_info()
    info.model_uri = shown(model_uri)
    return info


def _signature(value: Any, rest: dict[str, Any]) -> ModelSignature | None:
    """Read a signature and take what the file says of it beside it."""
    if not isinstance(value, Mapping) or not any(value.values()):
        return None
    told = {name: bool(rest.pop(key)) for key, name in _OF_SIGNATURE.items() if key in rest}
    signature = ModelSignature.from_dict(value)
    signature.from_type_hint = told.get("from_type_hint", False)
    signature.from_example = told.get("from_example", False)
    return signature


def _resources(given: Any) -> Any:
    """Read the file that is named; give lists of MLflow's resource objects as the file holds them."""
    if isinstance(given, str | Path):
        return mlmodel.resources(Path(given))
    if isinstance(given, Sequence) and all(hasattr(each, "to_dict") for each in given):
        found: dict[str, Any] = {}
        for each in given:
            for kind, entries in each.to_dict().items():
                found.setdefault(each.target_uri, {}).setdefault(kind, []).extend(entries)
        return {"api_version": "1", **found}
    return given


def _now() -> str:
    """Give the time as MLflow writes it: UTC, without a zone."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    utc = datetime.UTC
    if epoch:
        now = datetime.datetime.fromtimestamp(int(epoch), utc)
    else:
        now = datetime.datetime.now(utc)
    return str(now.replace(tzinfo=None))
