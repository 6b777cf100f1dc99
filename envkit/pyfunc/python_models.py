"""Models made of Python, saved: objects, functions, files of code, and data with a loader of one's own.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.save_model
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.inside.author.base_classes import ChatAdapter, FunctionModel, PythonModel
from envkit.inside.loaders.pyfunc import code_model
from envkit.models.model import Model
from envkit.models.model_info import ModelInfo
from envkit.models.signature import ModelSignature, infer_signature_from_type_hints
from envkit.pyfunc import artifacts as artifact_files
from envkit.pyfunc import chats, pickling, saving
from envkit.pyfunc.configuration import Config, read
from envkit.pyfunc.in_process import authors_code
from envkit.pyfunc.saving import Options, Saved

PICKLED, PICKLE = "python_model", "python_model.pkl"
OWN, CHAT = "mlflow.pyfunc.model", "mlflow.pyfunc.loaders.chat_model"
FROM_CODE = "mlflow.pyfunc.loaders.code_model"


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
    example_no_conversion: bool | None = None,  # noqa: ARG001 - MLflow's, which has no effect there either
    **options: Unpack[Options],
) -> None:
    """Save a model made of Python: either `python_model`, or a `loader_module`.

    python_model: an object of a class derived from `PythonModel` or `ChatModel`, a function of one
    argument, or the path of a file of code that calls `set_model`. artifacts: files or folders that
    the model needs, by the names under which `context.artifacts` has them; paths or URIs.
    model_config: what `context.model_config` holds, as a dict or the path of a YAML file.
    streamable: whether it has a `predict_stream`, default: it is looked at. loader_module: a module
    with `_load_pyfunc(path)`, of an installed distribution or of `code_paths`. data_path: the file
    or folder that it is given, which goes into the model. code_path: `code_paths` under the name
    that it once had. example_no_conversion: no longer of any effect. The other parameters are those
    of `envkit.pyfunc.saving.save`.
    """
    if code_path is not None:
        if options.get("code_paths") is not None:
            raise InvalidArgument("code_path is the old name of code_paths: give one of them.")
        options["code_paths"] = code_path
    if (loader_module is None) == (python_model is None):
        raise InvalidArgument(
            "Give either python_model or loader_module (with data_path if need be)."
        )
    if loader_module is not None:
        if artifacts is not None:
            raise InvalidArgument(
                "artifacts belong to a python_model; a loader_module has data_path."
            )
        write_data = partial(_write_data, loader_module, data_path, read(model_config), streamable)
        saving.save(path, write_data, **options)
        return
    if data_path is not None:
        raise InvalidArgument("data_path belongs to a loader_module; a python_model has artifacts.")
    config = read(model_config)
    if isinstance(python_model, str | Path):
        write_model, model = _from_code(Path(python_model).expanduser(), config)
    else:
        write_model, model = _as_pickle(python_model)
    told = _told(model, options.get("input_example"))
    if (
        isinstance(told.signature, ModelSignature)
        and chats.is_chat(model)
        and options.get("signature")
    ):
        raise InvalidArgument("A ChatModel has a signature of its own: leave `signature` away.")
    if told.example is not None:
        options["input_example"] = told.example
    if told.signature is not None:
        options["signature"] = told.signature
    streams = _streams(model) if streamable is None else streamable

    def write(folder: Path) -> Saved:
        fields = {**write_model(folder), "streamable": streams}
        found = artifact_files.put(artifacts or {}, folder)
        fields |= {"artifacts": found} if found else {}
        fields |= {"model_config": config} if config is not None else {}
        return Saved(
            loader_module=fields.pop("loader_module"),
            python_function=fields,
            metadata=told.metadata,
            least=get_default_pip_requirements() if PICKLED in fields else (),
        )

    saving.save(path, write, **options)


@saving.with_options_of(save_model, without="mlflow_model")
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
    """Save a model and log it to MLflow's tracking server; the other parameters are those of `save_model`.

    artifact_path, or name: where in the run. registered_model_name: make it a version of that
    registered model. await_registration_for: seconds to wait for that. Raises `ToolNotFound`
    without `mlflow-skinny`.
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
    """Give the requirements that a pickled model has at least."""
    return saving.default_requirements("cloudpickle")


def get_default_conda_env() -> dict[str, Any]:
    """Give the conda environment that a pickled model needs at least."""
    return saving.conda_environment(get_default_pip_requirements())


def _write_data(
    loader_module: str,
    data_path: str | Path | None,
    config: Any,
    streamable: bool | None,
    folder: Path,
) -> Saved:
    fields: dict[str, Any] = {"model_config": config} if config is not None else {}
    fields |= {"streamable": streamable} if streamable is not None else {}
    if data_path is not None:
        source = Path(data_path).expanduser()
        if not source.exists():
            raise InvalidArgument(f"data_path: there is no file or folder {data_path}.")
        name = "data" if source.is_dir() else source.name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy2(source, folder / name)
        fields["data"] = name
    return Saved(loader_module=loader_module, python_function=fields)


Write = Callable[[Path], dict[str, Any]]


def _from_code(file: Path, config: Any) -> tuple[Write, Any]:
    """Run the file once, to see what it registers."""
    if not file.is_file():
        raise InvalidArgument(
            f"python_model: there is no file {file}; a text is the path of a file of code."
        )
    if file.suffix != ".py":
        raise InvalidArgument(f"python_model: {file} is no file of Python code (.py).")
    try:
        with authors_code():
            model = code_model.registered(str(file.absolute()), config)
    except RuntimeError as error:
        raise InvalidArgument(f"{error}.") from error

    def write(folder: Path) -> dict[str, Any]:
        shutil.copyfile(file, folder / file.name)
        return {"loader_module": FROM_CODE, "model_code_path": file.name}

    return write, model


def _as_pickle(model: Any) -> tuple[Write, Any]:
    if isinstance(model, type):
        raise InvalidArgument(f"python_model is an object: write python_model={model.__name__}().")
    if not hasattr(model, "load_context") and not callable(model):
        raise InvalidArgument(
            "python_model is an object of a class derived from PythonModel, a function, or the path of a file of code, "
            f"not a {type(model).__name__}."
        )
    import cloudpickle

    chat = chats.is_chat(model)
    pickled: Any = ChatAdapter(model) if chat else model
    if not hasattr(pickled, "load_context"):
        pickled = FunctionModel(pickled)

    def write(folder: Path) -> dict[str, Any]:
        pickling.dump(pickled, folder / PICKLE)
        loader = CHAT if chat else OWN
        return {
            "loader_module": loader,
            PICKLED: PICKLE,
            "cloudpickle_version": cloudpickle.__version__,
        }

    return write, model


def _told(model: Any, example: Any) -> Saved:
    """What the model itself says: the signature of a conversation, or of its type hints."""
    if chats.is_chat(model):
        return Saved(
            loader_module=None,
            signature=chats.signature(),
            example=chats.example(example),
            metadata={"task": "agent/v1/chat"},
        )
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        params = example[1]
    else:
        params = None
    function = model.predict if hasattr(model, "predict") else model
    return Saved(loader_module=None, signature=infer_signature_from_type_hints(function, params))


def _streams(model: Any) -> bool:
    own = getattr(type(model), "predict_stream", None)
    base = next(
        (each for each in type(model).__mro__ if each.__name__ in ("PythonModel", "ChatModel")),
        PythonModel,
    )
    return own is not None and own not in (
        getattr(base, "predict_stream", None),
        PythonModel.predict_stream,
    )
