"""`Model`: the content of an `MLmodel` file.

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

# Keys of the file that MLflow writes even if the value is None.
_NOT_WRITTEN = ("other", "directory")
_ALWAYS_WRITTEN = ("flavors", "model_id", "model_uuid", "prompts", "utc_time_created")
# Keys of the file that are attributes of the signature.
_SIGNATURE_FLAGS = {
    "is_signature_from_type_hint": "from_type_hint",
    "type_hint_from_example": "from_example",
}


@dataclass(slots=True)
class Model:
    """The content of an `MLmodel` file. Corresponds to `mlflow.models.Model`.

    Args:
        artifact_path: Where the model was logged: a path in the run, or a location (MLflow 3).
        run_id: Run that logged the model.
        utc_time_created: When the model was created, a text in UTC; by default now, or
            `SOURCE_DATE_EPOCH`.
        flavors: Sections of the flavors by name.
        signature: Inputs, outputs and parameters, or a mapping that `ModelSignature.from_dict`
            reads.
        saved_input_example_info: Files and format of the input example.
        model_uuid: Unique name of the model; by default a new one.
        mlflow_version: Version of the MLflow that wrote the file.
        metadata: What the author records about the model.
        model_size_bytes: Size of the model's files in bytes.
        resources: What serving must reach: a mapping, MLflow's resource objects, or the path of a
            YAML file.
        env_vars: Names of the environment variables that the model reads.
        auth_policy: As whom serving reaches the resources: a mapping or MLflow's object.
        model_id: ID of the logged model (MLflow 3).
        prompts: URIs of the model's prompts.
        other: Keys of the file without an attribute here; they are written as they were read.
        directory: The model directory that it was loaded from, if any.

    Raises:
        InvalidArgument: If `env_vars` is not a list of texts, or `signature` is malformed.
        InvalidFile: If the file that `resources` names is malformed.
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
    directory: ModelDirectory | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        signature: Any = self.signature
        if isinstance(signature, Mapping):
            self.signature = _signature_of(signature, {})
        names: Any = self.env_vars
        if names is not None and not _is_list_of_texts(names):
            raise InvalidArgument(f"env_vars must be a list of names, not {names!r}.")
        self.resources = resources_of(self.resources)
        self.auth_policy = auth_policy_of(self.auth_policy)

    def add_flavor(self, name: str, **params: Any) -> Model:
        """Add a flavor, or replace the flavor of that name.

        Args:
            name: Name of the flavor, such as `python_function`.
            **params: Keys and values of its section.

        Returns:
            The model itself.
        """
        self.flavors[name] = params
        return self

    def get_input_schema(self) -> Schema | None:
        """Return the schema of the inputs, or None."""
        if self.signature is None:
            return None
        return self.signature.inputs

    def get_output_schema(self) -> Schema | None:
        """Return the schema of the outputs, or None."""
        if self.signature is None:
            return None
        return self.signature.outputs

    def get_params_schema(self) -> ParamSchema | None:
        """Return the schema of the parameters, or None."""
        if self.signature is None:
            return None
        return self.signature.params

    def load_input_example(self, path: str | Path | None = None) -> Any:
        """Load the saved input example without its parameters.

        Args:
            path: The model directory; by default that of which the model was loaded.

        Returns:
            The example as it was saved, in the types of the signature; None if there is none. A
            data frame needs pandas, an array NumPy.

        Raises:
            InvalidFile: If the file of the example is missing or malformed.
        """
        info = self.saved_input_example_info
        if info is None:
            return None
        signature = self.signature.to_dict() if self.signature else None
        return input_example.load(self._directory(path), info, signature)

    def load_input_example_params(self, path: str | Path | None = None) -> dict[str, Any] | None:
        """Load the parameters that were saved with the input example.

        Args:
            path: The model directory; by default that of which the model was loaded.

        Returns:
            Values by name; None if there are none.

        Raises:
            InvalidFile: If the file of the example is missing or malformed.
        """
        info = self.saved_input_example_info
        if info is None:
            return None
        return input_example.load_params(self._directory(path), info)

    def get_serving_input(self, path: str | Path | None = None) -> str | None:
        """Load the input example as a request to a scoring server.

        Args:
            path: The model directory; by default that of which the model was loaded.

        Returns:
            The JSON text of the request; None if there is no example.

        Raises:
            InvalidFile: If the file of the example is missing or malformed.
        """
        info = self.saved_input_example_info
        if info is None:
            return None
        return input_example.load_serving(self._directory(path), info)

    def _directory(self, path: str | Path | None) -> ModelDirectory:
        if path is not None:
            return ModelDirectory.open(path)
        if self.directory is None:
            raise InvalidArgument("This model was not loaded from a directory; pass its path.")
        return self.directory

    def get_model_info(self) -> ModelInfo:
        """Return what `log_model` returns for this model."""
        if self.model_id:
            uri = f"models:/{self.model_id}"
        else:
            uri = f"runs:/{self.run_id}/{self.artifact_path}"
        own = {attribute.name for attribute in fields(self)}
        shared = [item.name for item in fields(ModelInfo) if item.name in own]
        return ModelInfo(model_uri=uri, **{name: getattr(self, name) for name in shared})

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file, its keys sorted.

        Keys whose value is None are left out, except those that MLflow always writes.
        """
        content = dict(self.other)
        for attribute in fields(self):
            name, value = attribute.name, getattr(self, attribute.name)
            if name not in _NOT_WRITTEN and (value is not None or name in _ALWAYS_WRITTEN):
                content[name] = value
        if self.signature is not None:
            content["signature"] = self.signature.to_dict()
            for key, name in _SIGNATURE_FLAGS.items():
                content[key] = getattr(self.signature, name)
        return {name: deepcopy(content[name]) for name in sorted(content)}

    def to_yaml(self, stream: TextIO | None = None) -> str:
        """Return the text of the file.

        Args:
            stream: Text stream that the text is written to as well.

        Raises:
            InvalidFile: If a flavor or another key breaks the format.
        """
        text = mlmodel.dumps(mlmodel.parse(self.to_dict(), Path(mlmodel.FILE_NAME)))
        if stream is not None:
            stream.write(text)
        return text

    def to_json(self) -> str:
        """Return the content of the file as JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return self.to_yaml()

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all.

        Args:
            path: The file, or the model directory.

        Raises:
            InvalidFile: If a flavor breaks the format, so that MLflow could not read it.
            InvalidInput: If the file cannot be written.
        """
        target = Path(path)
        if target.is_dir():
            target = target / mlmodel.FILE_NAME
        write_files(target.parent, {target.name: self.to_yaml()})

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read the file of a model.

        Args:
            path: The file, the model directory, or the URI of either.

        Raises:
            ModelNotFound: If there is no model.
            InvalidFile: If the file is malformed.
            PathOutsideModel: If a field leads out of the model directory.
            ToolNotFound: If a library that reads this kind of URI is not installed.
        """
        text = str(path)
        folder = text.removesuffix(f"/{mlmodel.FILE_NAME}") or "/"
        if text == mlmodel.FILE_NAME:
            folder = "."
        directory = ModelDirectory.open(
            Path(folder) if isinstance(path, Path) else folder, DESCRIPTION
        )
        return cls.of(directory)

    @classmethod
    def from_dict(cls, model_dict: Mapping[str, Any]) -> Model:
        """Read what `to_dict`, or MLflow's, returns.

        Args:
            model_dict: Content of an `MLmodel` file.

        Raises:
            InvalidFile: If a key breaks the format.
        """
        return cls._from_content(model_dict, Path(mlmodel.FILE_NAME))

    @classmethod
    def of(cls, directory: ModelDirectory) -> Model:
        """Return the `Model` of an opened model directory.

        Args:
            directory: The model directory.

        Raises:
            InvalidFile: If the signature is malformed.
        """
        model = cls._from_content(directory.mlmodel.content, directory.mlmodel_path)
        model.directory = directory
        return model

    @classmethod
    def _from_content(cls, content: Mapping[str, Any], path: Path) -> Model:
        mlmodel.parse(content, path)
        other = deepcopy(dict(content))
        try:
            signature = _signature_of(other.pop("signature", None), other)
        except InvalidArgument as error:
            raise InvalidFile(path, "signature", str(error).rstrip(".")) from error
        # The defaults of a new model are wrong for a file without these keys.
        known: dict[str, Any] = {"model_uuid": None, "utc_time_created": ""}
        for attribute in fields(cls):
            if attribute.name in other and attribute.name not in _NOT_WRITTEN:
                known[attribute.name] = other.pop(attribute.name)
        model = cls(**known, signature=signature, other=other)
        model.flavors = model.flavors or {}
        return model

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
        metadata: Mapping[str, Any] | None = None,
        resources: Any = None,
        auth_policy: Any = None,
        prompts: Sequence[Any] | None = None,
        step: int = 0,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> ModelInfo:
        """Save a model and log it to an MLflow tracking server.

        Corresponds to `mlflow.models.Model.log`. With MLflow 3 the model becomes a logged model,
        which needs no run; before that it is logged to a run.

        Args:
            artifact_path: Name of the model, `model` by default.
            flavor: Module or object with `save_model(path, mlflow_model=…, **kwargs)`.
            registered_model_name: Registered model of which this becomes a version.
            await_registration_for: Seconds to wait until that version is ready; 0 or None for not
                at all.
            name: The same as `artifact_path`, under the name of MLflow 3.
            run_id: Run of the model; by default the active run, or before MLflow 3 a new one.
            model_type: Type of the logged model (MLflow 3).
            params: Parameters of the logged model (MLflow 3).
            tags: Tags of the logged model (MLflow 3).
            metadata: What the author records about the model, with any flavor.
            resources: What serving must reach, as for `Model`.
            auth_policy: As whom serving reaches the resources.
            prompts: URIs of the model's prompts, or MLflow's prompt objects.
            step: Step of the run at which the model is logged (MLflow 3).
            model_id: ID of an existing logged model that gets the files (MLflow 3).
            **kwargs: Further arguments of `flavor.save_model`.

        Raises:
            ToolNotFound: If `mlflow-skinny` is not installed.
            InvalidInput: If the tracking server cannot be reached.
            InvalidArgument: If `model_type`, `params` or `tags` meet a server before MLflow 3.
        """
        model = cls(
            artifact_path=name or artifact_path or "model",
            metadata=dict(metadata) if metadata is not None else None,
            resources=resources,
            auth_policy=auth_policy,
            prompts=[str(getattr(prompt, "uri", prompt)) for prompt in prompts or ()] or None,
        )
        facts = {"model_type": model_type, "params": params, "tags": tags}
        options = mlflow_logging.Options(
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            run_id=run_id,
            step=step,
            model_id=model_id,
            logged_model_facts={key: value for key, value in facts.items() if value},
        )
        version = mlflow_logging.log(model, flavor, options, kwargs)
        info = model.get_model_info()
        info.registered_model_version = version
        return info


def get_model_info(model_uri: str | Path) -> ModelInfo:
    """Return the description in `MLmodel`. Corresponds to `mlflow.models.get_model_info`.

    Args:
        model_uri: Path or URI of the model.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the file is malformed.
    """
    info = Model.load(model_uri).get_model_info()
    info.model_uri = shown(model_uri)
    return info


def resources_of(value: Any) -> Any:
    """Return the resources as the file holds them: read from a YAML file, or made of objects."""
    if isinstance(value, str | Path):
        return mlmodel.resources(Path(value))
    if not isinstance(value, Sequence):
        return value
    if not all(hasattr(item, "to_dict") for item in value):
        return value
    resources: dict[str, Any] = {"api_version": "1"}
    for item in value:
        by_kind = resources.setdefault(item.target_uri, {})
        for kind, entries in item.to_dict().items():
            by_kind.setdefault(kind, []).extend(entries)
    return resources


def auth_policy_of(value: Any) -> Any:
    """Return the policy as the file holds it: as it is, or made of MLflow's object."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return value


def _signature_of(value: Any, content: dict[str, Any]) -> ModelSignature | None:
    """Read a signature, and move its flags there from the content of the file."""
    if not isinstance(value, Mapping) or not any(value.values()):
        return None
    signature = ModelSignature.from_dict(value)
    for key, name in _SIGNATURE_FLAGS.items():
        setattr(signature, name, bool(content.pop(key, False)))
    return signature


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _now() -> str:
    """Return the time as MLflow writes it: in UTC, without a time zone."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        now = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    else:
        now = datetime.datetime.now(datetime.UTC)
    return str(now.replace(tzinfo=None))
