"""`save_model` and `log_model` for Python models: objects, functions, code, or data with a loader.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.save_model
"""

from __future__ import annotations

import logging
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import cloudpickle

from envkit.errors import EnvkitError, InvalidArgument
from envkit.inside.author import type_hints as hints
from envkit.inside.author.base_classes import ChatAdapter, FunctionModel, PythonModel
from envkit.inside.author.type_hints import InvalidTypeHint
from envkit.inside.loaders.pyfunc import code_model
from envkit.models.input_example import split_params
from envkit.models.model import Model
from envkit.models.model_info import ModelInfo
from envkit.models.signature import infer_signature_from_type_hints
from envkit.pyfunc import artifacts as artifact_files
from envkit.pyfunc import chats, default_environment, pickling, predictors, saving
from envkit.pyfunc.configuration import Config, read
from envkit.pyfunc.forwarded_parameters import forwards_to
from envkit.pyfunc.in_process import authors_code
from envkit.pyfunc.saving import Options, Saved

_log = logging.getLogger("envkit")

# Key and file of a pickled model in `MLmodel`.
PICKLED, PICKLE = "python_model", "python_model.pkl"
# MLflow's loaders.
PICKLE_LOADER = "mlflow.pyfunc.model"
CHAT_LOADER = "mlflow.pyfunc.loaders.chat_model"
CODE_LOADER = "mlflow.pyfunc.loaders.code_model"


@saving.with_options
def save_model(
    path: str | Path,
    loader_module: str | None = None,
    data_path: str | Path | None = None,
    *,
    python_model: Any = None,
    artifacts: Mapping[str, str | Path] | None = None,
    model_config: Config | None = None,
    streamable: bool | None = None,
    code_path: Sequence[str | Path] | None = None,
    example_no_conversion: bool | None = None,  # noqa: ARG001 - it has no effect in MLflow either
    **options: Unpack[Options],
) -> None:
    """Save a Python model with the environment that it needs.

    Corresponds to `mlflow.pyfunc.save_model`. The model is loaded and predicts once on the input
    example in a process of its own, which shows the packages it needs; the model directory appears
    whole or not at all. A `UserWarning` names modules that will be missing elsewhere.

    Args:
        path: The model directory; a new or an empty folder.
        loader_module: Module with `_load_pyfunc(path)`, of an installed distribution or of
            `code_paths`. Either this or `python_model` is required.
        data_path: File or folder that `_load_pyfunc` gets; it is copied into the model.
        python_model: An object of a class derived from `PythonModel` or `ChatModel`, a function of
            one argument (and `params`), or the path of a Python file that calls `set_model`.
        artifacts: Files or folders that the model needs, as paths or URIs, under their names in
            `context.artifacts`; they are copied into the model.
        model_config: Values of `context.model_config`: a dict, or the path of a YAML file.
        streamable: Whether the model has `predict_stream`; by default envkit looks.
        code_path: Former name of `code_paths`.
        example_no_conversion: Accepted and ignored, as in MLflow.
        conda_env: Conda environment, as a dict or the path of a `conda.yaml`, written as it is.
            At most one of this, `pip_requirements` and `extra_pip_requirements` is allowed.
        code_paths: Files and folders of Python code, copied into the model's `code/`.
        infer_code_paths: Whether to copy every imported module that belongs to no distribution.
        mlflow_model: `Model` to add the flavors to; by default a new one.
        signature: A `ModelSignature` of envkit or MLflow; by default inferred from the type hints
            of `predict`, else from the input example and the prediction on it. False for none.
        input_example: Data on which the model predicts once, or a pair of data and a dict of
            parameters; saved with the model.
        pip_requirements: Lines of a requirements file, or its path, to use instead of the captured
            requirements.
        extra_pip_requirements: Lines of a requirements file, or its path, to add to them; a line
            replaces the captured one of the same distribution.
        metadata: What the author records about the model.
        resources: What serving must reach: a mapping, MLflow's resource objects, or the path of a
            YAML file.
        auth_policy: As whom serving reaches the resources: a mapping or MLflow's object.
        timeout: Seconds for loading and predicting, by default 600.

    Raises:
        InvalidArgument: If arguments contradict each other, name something that does not exist or
            are malformed, or the model cannot be pickled.
        CaptureFailed: If the model does not load and predict in a process of its own; it has the
            traceback of the model.

    Examples:
        >>> def double(model_input):
        ...     return model_input * 2
        >>> save_model("model", python_model=double, input_example=frame)  # doctest: +SKIP
    """
    if code_path is not None:
        if options.get("code_paths") is not None:
            raise InvalidArgument("code_path is the former name of code_paths; use only one.")
        options["code_paths"] = code_path
    if (loader_module is None) == (python_model is None):
        raise InvalidArgument("Use either python_model, or loader_module with data_path.")
    if loader_module is not None:
        if artifacts is not None:
            raise InvalidArgument("A loader_module has no artifacts; use data_path.")
        data_model = _DataModel(
            loader_module=loader_module,
            data_path=data_path,
            config=read(model_config),
            streamable=streamable,
        )
        saving.save(path, data_model.write, **options)
        return
    if data_path is not None:
        raise InvalidArgument("A python_model has no data_path; use artifacts.")
    config = read(model_config)
    source = _source(python_model, config)
    defaults = _defaults(source.model, options.get("input_example"))
    if chats.is_chat(source.model) and options.get("signature"):
        raise InvalidArgument("A ChatModel has its own signature; omit `signature`.")
    if defaults.example is not None:
        options["input_example"] = defaults.example
    if defaults.signature is not None:
        stated = options.get("signature")
        if stated and stated.to_dict() != defaults.signature.to_dict():
            _log.warning(
                "Provided signature does not match the signature inferred from the Python model's "
                "`predict` function type hint. Signature inferred from type hint will be used:\n%s",
                defaults.signature,
            )
        options["signature"] = defaults.signature

    def write(folder: Path) -> Saved:
        fields = source.write(folder)
        fields["streamable"] = _streams(source.model) if streamable is None else streamable
        if written := artifact_files.copy(artifacts or {}, folder):
            fields["artifacts"] = written
        if config is not None:
            fields["model_config"] = config
        return Saved(
            loader_module=source.loader,
            python_function=fields,
            metadata=defaults.metadata,
            required=get_default_pip_requirements() if source.is_pickled else (),
            has_form_of_example=defaults.has_form_of_example,
        )

    saving.save(path, write, **options)


@forwards_to(save_model, without="mlflow_model")
def log_model(
    artifact_path: str | None = None,
    loader_module: str | None = None,
    data_path: str | Path | None = None,
    *,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    name: str | None = None,
    **arguments: Any,
) -> ModelInfo:
    """Save a Python model and log it to an MLflow tracking server.

    Corresponds to `mlflow.pyfunc.log_model`. The other parameters are those of `save_model` and
    `Model.log`.

    Args:
        artifact_path: Name of the model, `model` by default.
        loader_module: As for `save_model`.
        data_path: As for `save_model`.
        registered_model_name: Registered model of which this becomes a version.
        await_registration_for: Seconds to wait until that version is ready; 0 or None for not at
            all.
        name: The same as `artifact_path`, under the name of MLflow 3.
        **arguments: Further parameters of `save_model`, and `run_id`, `model_type`, `params` and
            `tags` of `Model.log`.

    Returns:
        The URI and description of the logged model.

    Raises:
        ToolNotFound: If `mlflow-skinny` is not installed.
        InvalidInput: If the tracking server cannot be reached.
        InvalidArgument: As `save_model`.
        CaptureFailed: As `save_model`.
    """
    return Model.log(
        artifact_path or name or "model",
        sys.modules[__name__],
        registered_model_name,
        await_registration_for,
        loader_module=loader_module,
        data_path=data_path,
        **arguments,
    )


def get_default_pip_requirements() -> list[str]:
    """Return the requirements that every pickled model has at least.

    Corresponds to `mlflow.pyfunc.get_default_pip_requirements`.

    Returns:
        PEP 508 lines, pinned to the installed versions.
    """
    return default_environment.pinned("cloudpickle")


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment that every pickled model needs at least.

    Corresponds to `mlflow.pyfunc.get_default_conda_env`.

    Returns:
        Content of a `conda.yaml`.
    """
    return default_environment.conda_environment(get_default_pip_requirements())


@dataclass(frozen=True, kw_only=True, slots=True)
class _DataModel:
    """Data, and the module that loads them."""

    loader_module: str
    data_path: str | Path | None
    config: dict[str, Any] | None
    streamable: bool | None

    def write(self, folder: Path) -> Saved:
        fields: dict[str, Any] = {}
        if self.config is not None:
            fields["model_config"] = self.config
        if self.streamable is not None:
            fields["streamable"] = self.streamable
        if self.data_path is not None:
            fields["data"] = self._copy_data(Path(self.data_path).expanduser(), folder)
        return Saved(loader_module=self.loader_module, python_function=fields)

    def _copy_data(self, source: Path, folder: Path) -> str:
        """Copy the data and return their path in the model."""
        if not source.exists():
            raise InvalidArgument(f"data_path: there is no file or folder {self.data_path}.")
        if source.is_dir():
            shutil.copytree(source, folder / "data")
            return "data"
        shutil.copy2(source, folder / source.name)
        return source.name


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A Python model.

    model: the author's object. write: writes it into a folder and returns the fields of the flavor.
    """

    model: Any
    loader: str
    write: Callable[[Path], dict[str, Any]]
    is_pickled: bool


def _source(python_model: Any, config: dict[str, Any] | None) -> _Source:
    if isinstance(python_model, str | Path):
        return _code(Path(python_model).expanduser(), config)
    return _pickle(python_model)


def _code(file: Path, config: dict[str, Any] | None) -> _Source:
    """Return the model of a Python file, which is run once to see what it registers."""
    if not file.is_file():
        raise InvalidArgument(
            f"python_model: there is no file {file}. A text is the path of a Python file."
        )
    if file.suffix != ".py":
        raise InvalidArgument(f"python_model: {file} is not a Python file (.py).")
    try:
        with authors_code(), code_model.configured(config, str(file)):
            model = code_model.registered(str(file.absolute()))
    except EnvkitError:
        raise
    except Exception as error:
        raise InvalidArgument(
            f"python_model: running {file.name} raised {type(error).__name__}: {error}."
        ) from error
    predictors.check(model, f"The model of {file.name}")

    def write(folder: Path) -> dict[str, Any]:
        shutil.copyfile(file, folder / file.name)
        return {"model_code_path": file.name}

    return _Source(model=model, loader=CODE_LOADER, write=write, is_pickled=False)


def _pickle(model: Any) -> _Source:
    predictors.check(model, "python_model")
    is_chat = chats.is_chat(model)
    pickled: Any = ChatAdapter(model) if is_chat else model
    if not hasattr(pickled, "load_context"):
        try:
            pickled = FunctionModel(pickled)
        except InvalidTypeHint as error:
            raise InvalidArgument(f"python_model: {error}") from error

    def write(folder: Path) -> dict[str, Any]:
        pickling.dump(pickled, folder / PICKLE)
        return {PICKLED: PICKLE, "cloudpickle_version": cloudpickle.__version__}

    loader = CHAT_LOADER if is_chat else PICKLE_LOADER
    return _Source(model=model, loader=loader, write=write, is_pickled=True)


def _defaults(model: Any, example: Any) -> Saved:
    """Return what the model itself determines: the signature of a chat, or of its type hints."""
    if chats.is_chat(model):
        return Saved(
            loader_module=None,
            signature=chats.signature(),
            example=chats.example(example),
            metadata={"task": "agent/v1/chat"},
        )
    data, params = split_params(example)
    function = model.predict if hasattr(model, "predict") else model
    if hints.is_from_example(hints.type_hints(function).input):
        return Saved(loader_module=None, has_form_of_example=_says_form(data))
    return Saved(loader_module=None, signature=infer_signature_from_type_hints(function, params))


def _says_form(example: Any) -> bool:
    """Return whether an example says the form of the input; warn of one that does not."""
    if isinstance(example, list) or hasattr(example, "iloc"):
        return True
    warnings.warn(
        "Input example must be one of pandas.DataFrame, pandas.Series or list when using "
        f"TypeFromExample as type hint, got {type(example)}.",
        stacklevel=4,
    )
    return False


def _streams(model: Any) -> bool:
    """Return whether the class of a model has a `predict_stream` of its own."""
    kind = type(model)
    own = getattr(kind, "predict_stream", None)
    if own is None or own is PythonModel.predict_stream:
        return False
    # The base class may also be MLflow's.
    for base in kind.__mro__:
        if base.__name__ in ("PythonModel", "ChatModel"):
            return own is not getattr(base, "predict_stream", None)
    return True
