"""`save`: what every `save_model` does, from its common parameters to one capture."""

from __future__ import annotations

import logging
import platform
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envkit.capturing import stated_requirements
from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.capturing.stated_requirements import CondaEnv, Lines
from envkit.errors import InvalidArgument
from envkit.formats import conda_yaml, python_env_yaml
from envkit.inside.data import wire
from envkit.models import input_example as examples
from envkit.models.capture_warnings import WarningKind
from envkit.models.inference.pandas_types import with_dtypes_of
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.schemas import infer_schema
from envkit.models.inference.values import is_array, type_of_values
from envkit.models.input_example import SavedExample
from envkit.models.model import Model, auth_policy_of, resources_of
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import own_code
from envkit.pyfunc.forwarded_parameters import forwards_to
from envkit.pyfunc.new_directory import new_directory

# Warnings of a capture that mean that the saved model may not work elsewhere.
_SERIOUS = (WarningKind.OUTSIDE, WarningKind.NOT_STATED)

_log = logging.getLogger("envkit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What a flavor wrote into the model directory.

    loader_module: the module that loads the model as a `python_function`, None for a flavor that
    does not predict. python_function: other fields of that flavor. flavors: sections of the other
    flavors by name; each gets `code`. signature, example: used if the author gives none. metadata:
    the author's take precedence. required: requirements without which the model does not load,
    added to `pip_requirements` that do not name them. has_form_of_example: the type hint of the
    input leaves its form to the example.
    """

    loader_module: str | None
    python_function: Mapping[str, Any] = field(default_factory=dict)
    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    example: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    required: Sequence[str] = ()
    has_form_of_example: bool = False


class Options(TypedDict, total=False):
    """The parameters of every `save_model`, documented at `envkit.pyfunc.save_model`."""

    conda_env: CondaEnv | None
    code_paths: Sequence[str | Path] | None
    infer_code_paths: bool
    mlflow_model: Model | None
    signature: Any
    input_example: Any
    pip_requirements: Lines | None
    extra_pip_requirements: Lines | None
    metadata: Mapping[str, Any] | None
    resources: Any
    auth_policy: Any
    timeout: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _StatedEnvironment:
    """What the author states of the environment: one of the three, or nothing."""

    conda_env: CondaEnv | None
    pip_requirements: Lines | None
    extra_pip_requirements: Lines | None

    def check(self) -> None:
        """Raise `InvalidArgument` for several of them, or for one that cannot be read."""
        values = {
            "conda_env": self.conda_env,
            "pip_requirements": self.pip_requirements,
            "extra_pip_requirements": self.extra_pip_requirements,
        }
        names = [name for name, value in values.items() if value is not None]
        if len(names) > 1:
            raise InvalidArgument(
                f"Use only one of {' and '.join(names)}: each states the model's environment."
            )
        stated_requirements.read(self.pip_requirements, self.extra_pip_requirements, self.conda_env)

    def requirements_with(self, required: Sequence[str]) -> Lines | None:
        """Return `pip_requirements` with the required ones that they do not name."""
        lines = self.pip_requirements
        if lines is None:
            return None
        stated = stated_requirements.read(lines, None, None).file.requirements
        names = {canonicalize_name(requirement.name or "") for requirement in stated}
        missing = [
            requirement
            for requirement in required
            if canonicalize_name(Requirement(requirement).name) not in names
        ]
        if not missing:
            return lines
        if isinstance(lines, str | Path):
            return [f"-r {shlex.quote(str(lines))}", *missing]
        return [*lines, *missing]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Description:
    """What the author says about the model."""

    signature: ModelSignature | None
    infer_signature: bool
    input_example: Any
    metadata: Mapping[str, Any] | None
    resources: Any
    auth_policy: Any


def save(
    path: str | Path,
    write: Callable[[Path], Saved],
    *,
    conda_env: CondaEnv | None = None,
    code_paths: Sequence[str | Path] | None = None,
    infer_code_paths: bool = False,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    metadata: Mapping[str, Any] | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    timeout: float | None = None,
) -> None:
    """Save a model whose own files `write` puts into a folder, and capture its environment.

    `envkit.pyfunc.save_model` documents the parameters and errors. Raises also what `write` raises;
    then nothing is left at `path`.
    """
    environment = _StatedEnvironment(
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    environment.check()
    own_paths = own_code.check(code_paths)
    description = _Description(
        signature=_stated_signature(signature),
        infer_signature=signature is None,
        input_example=input_example,
        metadata=metadata,
        resources=resources,
        auth_policy=auth_policy,
    )
    with new_directory(path) as folder:
        model = mlflow_model if mlflow_model is not None else Model()
        saved = write(folder)
        own_code.copy(own_paths, folder)
        _add_flavors(model, saved, has_code=bool(own_paths))
        _describe(model, saved, description)
        example = _write_example(model, folder, saved, description)
        stated = description.signature
        if description.infer_signature:
            stated = saved.signature
        infers_signature = description.infer_signature and stated is None
        if infers_signature:
            stated = _signature_of_example(example)
        elif stated is not None and example is not None:
            _add_dtypes_of_example(stated, example)
        if stated is not None and saved.has_form_of_example:
            stated.from_example = True
        model.signature = stated
        model.model_size_bytes = _size(folder)
        model.save(folder)
        if saved.loader_module is None:
            return

        def add_outputs(answer: bytes | None) -> None:
            if infers_signature and example is not None:
                model.signature = _with_outputs(model.signature, answer)
                model.save(folder)

        captured = capture(
            folder,
            timeout=timeout,
            include_code=infer_code_paths,
            code_paths=list(own_code.import_folders()),
            requirements=environment.requirements_with(saved.required),
            extra_requirements=extra_pip_requirements,
            conda_env=conda_env,
            complete=add_outputs,
        )
        if infer_code_paths:
            _update_code(model, folder)
        _warn(captured)


with_options = forwards_to(save)
"""Shows the parameters of `save` in the signature of a `save_model` that forwards them."""


def add_to_model(
    model: Model,
    loader_module: str,
    data: str | None = None,
    code: str | None = None,
    conda_env: str | None = conda_yaml.FILE_NAME,
    python_env: str | None = python_env_yaml.FILE_NAME,
    model_config: Any = None,
    model_code_path: str | None = None,
    **kwargs: Any,
) -> Model:
    """Add the flavor `python_function` to a model. Corresponds to `mlflow.pyfunc.add_to_model`.

    Args:
        model: The model.
        loader_module: Module whose `_load_pyfunc(path)` loads the model.
        data: What that function gets, relative to the model directory; by default the directory.
        code: Folder of the model's own modules, relative to the model directory.
        conda_env: File of the conda environment, relative to the model directory.
        python_env: File of the virtual environment, relative to the model directory.
        model_config: Configuration, as for `save_model`.
        model_code_path: File of a model that is saved as code.
        **kwargs: Further fields of the flavor.

    Returns:
        The model.
    """
    env = {"conda": conda_env, "virtualenv": python_env}
    optional = {
        "data": data,
        "config": model_config,
        "model_code_path": model_code_path,
        "env": {name: file for name, file in env.items() if file} or None,
    }
    fields = {
        "loader_module": loader_module,
        "python_version": platform.python_version(),
        **kwargs,
        **{name: value for name, value in optional.items() if value is not None},
    }
    # MLflow writes `code` even if it is null.
    return model.add_flavor("python_function", **{**fields, "code": code})


def _stated_signature(signature: Any) -> ModelSignature | None:
    """Return the author's signature, also if it is MLflow's; None for None and False."""
    if signature is None or signature is False:
        return None
    if isinstance(signature, ModelSignature):
        return signature
    if hasattr(signature, "to_dict"):
        return ModelSignature.from_dict(signature.to_dict())
    raise InvalidArgument(f"signature must be a ModelSignature, None or False, not {signature!r}.")


def _add_flavors(model: Model, saved: Saved, *, has_code: bool) -> None:
    code = own_code.FOLDER if has_code else None
    for name, section in saved.flavors.items():
        model.add_flavor(name, **{**section, "code": code})
    if saved.loader_module is not None:
        add_to_model(model, saved.loader_module, code=code, **saved.python_function)


def _describe(model: Model, saved: Saved, description: _Description) -> None:
    metadata = {**saved.metadata, **(model.metadata or {}), **(description.metadata or {})}
    model.metadata = metadata or None
    if description.resources is not None:
        model.resources = resources_of(description.resources)
    if description.auth_policy is not None:
        model.auth_policy = auth_policy_of(description.auth_policy)


def _write_example(
    model: Model, folder: Path, saved: Saved, description: _Description
) -> SavedExample | None:
    data = description.input_example
    if data is None:
        data = saved.example
    if data is None:
        return None
    example = examples.encode(data)
    for name, text in example.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    model.saved_input_example_info = example.info
    return example


def _signature_of_example(example: SavedExample | None) -> ModelSignature | None:
    """Return the signature without outputs: the model will predict on data of these types."""
    if example is None:
        return None
    try:
        return ModelSignature(
            inputs=infer_schema(example.data), params=schema_of_params(example.params or {}) or None
        )
    except InvalidArgument as error:
        if hasattr(example.data, "iloc"):
            # Without a signature the model would get other types than those of the example.
            raise InvalidArgument(
                f"No signature can be inferred from the input example: {error} Or write a "
                "signature yourself; signature=False saves the model without one."
            ) from error
        warnings.warn(f"No signature can be inferred from the input example: {error}", stacklevel=4)
        return None


def _add_dtypes_of_example(signature: ModelSignature, example: SavedExample) -> None:
    """Record the dtypes of a data frame in the author's signature, which may not have them."""
    if signature.inputs is None or not hasattr(example.data, "iloc"):
        return
    try:
        inferred = infer_schema(example.data)
    except InvalidArgument:
        return
    signature.inputs = with_dtypes_of(signature.inputs, inferred)


def _with_outputs(signature: ModelSignature | None, answer: bytes | None) -> ModelSignature | None:
    if signature is None or answer is None:
        return signature
    try:
        outputs = _schema_of_answer(wire.loads(answer), signature)
    except (InvalidArgument, wire.Malformed, ImportError) as error:
        _log.warning("The signature does not describe the outputs: %s", error)
        return signature
    return replace(signature, outputs=outputs)


def _schema_of_answer(answer: Any, signature: ModelSignature) -> Schema:
    """Return the schema of an answer: one column, if a table was answered with one value a row."""
    is_table = signature.inputs is not None and not signature.inputs.is_tensor_spec()
    if is_table and is_array(answer) and answer.ndim == 1:
        return Schema([ColSpec(type_of_values(answer))])
    return infer_schema(answer)


def _update_code(model: Model, folder: Path) -> None:
    """Record the code that the capture added, also in the author's `mlflow_model`."""
    code = Model.load(folder).flavors["python_function"].get("code")
    for section in model.flavors.values():
        section["code"] = code


def _warn(captured: Capture) -> None:
    for warning in captured.warnings:
        if warning.kind in _SERIOUS:
            warnings.warn(f"The saved model may not work elsewhere: {warning}.", stacklevel=5)
        else:
            _log.info("%s", warning)


def _size(folder: Path) -> int:
    """Return the size of the files below a folder in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
