"""Stands in for `mlflow.pyfunc.loaders.code_model`: a model that its code registers.

Needs: what the model's own code needs; MLflow for its agents.
Returns: what the model's own `predict` returns.
"""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Iterator

from ...author import fake_mlflow, model_config, registry
from ...bytecode import NoBytecodeLoader
from ...request import Request
from . import chat_model
from .python_model import with_context

MLFLOW_REGISTRY, MLFLOW_MODEL = "mlflow.models.model", "__mlflow_model__"
MLFLOW_CONFIG_MODULE, MLFLOW_CONFIG = (
    "mlflow.models.model_config",
    "__mlflow_model_config__",
)
AGENT_WRAPPERS = {  # kinds of models that MLflow wraps in an interface of its own
    "ChatAgent": (
        "mlflow.pyfunc.loaders.chat_agent",
        "_ChatAgentPyfuncWrapper",
    ),
    "ResponsesAgent": (
        "mlflow.pyfunc.loaders.responses_agent",
        "_ResponsesAgentPyfuncWrapper",
    ),
}
CHAT_MODEL_MODULES = (  # where the base class `ChatModel` may be defined
    "mlflow.pyfunc.model",
    "envkit.inside.author.base_classes",
    "_envkit.author.base_classes",
)


def load(path: str, request: Request) -> Any:
    """Run the model's code and take what it registered.

    The file is in the model directory, by its last name.
    """
    conf = request["python_function"]
    file = os.path.join(path, os.path.basename(conf["model_code_path"]))
    with configured(conf.get("config"), file):
        model = registered(file)
        if is_chat(model):
            return chat_model.wrapped(model, path, conf)
        wrapped = with_context(model, path, request)
    for base in type(model).__mro__:
        if base.__module__ == "mlflow.pyfunc.model" and base.__name__ in AGENT_WRAPPERS:
            return _wrapped_agent(model, wrapped, *AGENT_WRAPPERS[base.__name__])
    return wrapped


def registered(file: str) -> Any:
    """Run a file of code and give the model that it registered.

    Raises `RuntimeError` if it registered none.
    """
    # an installed envkit, which the code may import, must register where this program looks
    sys.modules.setdefault("envkit.inside.author.registry", registry)
    sys.modules.setdefault("envkit.inside.author.model_config", model_config)
    mlflow_registry = sys.modules.get(MLFLOW_REGISTRY)
    if mlflow_registry is not None:
        setattr(mlflow_registry, MLFLOW_MODEL, None)  # the model of an earlier file
    model = registry.registered_by(lambda: _run(file))
    if model is None:
        model = getattr(sys.modules.get(MLFLOW_REGISTRY), MLFLOW_MODEL, None)
    if model is None:
        raise RuntimeError(
            f"{os.path.basename(file)} did not register a model: it never called `set_model`"
        )
    return model


def is_chat(model: Any) -> bool:
    """Whether a model derives from `ChatModel`, whoever defined that class."""
    for base in type(model).__mro__:
        if base.__name__ == "ChatModel" and base.__module__ in CHAT_MODEL_MODULES:
            return True
    return False


@contextmanager
def configured(config: Any, file: str) -> Iterator[None]:
    """Put the configuration where the `ModelConfig` of a file of code looks for it."""
    with model_config.configured(config):
        mlflow_config = None
        if "mlflow" not in fake_mlflow.supplied() and (config or _names_config(file)):
            mlflow_config = import_module(MLFLOW_CONFIG_MODULE)
            setattr(mlflow_config, MLFLOW_CONFIG, config or "")  # MLflow's sign for none
        try:
            yield
        finally:
            if mlflow_config is not None:
                setattr(mlflow_config, MLFLOW_CONFIG, None)


def _names_config(file: str) -> bool:
    """Whether a file may read a configuration: importing MLflow for nothing takes seconds."""
    with open(file, "rb") as stream:
        return b"ModelConfig" in stream.read()


def _run(path: str) -> None:
    """Run a file of code as a module."""
    name = "code_model_" + os.path.splitext(os.path.basename(path))[0]
    spec = spec_from_file_location(name, path, loader=NoBytecodeLoader(name, path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _wrapped_agent(
    model: Any,
    wrapped: Any,
    module: str,
    name: str,
) -> Any:
    """Wrap an agent with MLflow's class, whose parameters differ between versions."""
    wrapper = getattr(import_module(module), name)
    values = {"context": wrapped.context, "signature": None}
    _, *names = inspect.signature(wrapper).parameters
    return wrapper(model, *(values.get(name) for name in names))
