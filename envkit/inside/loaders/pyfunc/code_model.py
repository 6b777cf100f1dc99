"""In place of `mlflow.pyfunc.loaders.code_model`: a model that its own code makes and registers by `set_model`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Mapping

from ...author import base_classes, fake_mlflow, registry
from ...bytecode import NoBytecodeLoader
from . import chat_model
from .python_model import with_context

REGISTRY, REGISTERED = "mlflow.models.model", "__mlflow_model__"
WRAPPERS = {  # kinds of models that MLflow gives an interface of its own
    "ChatAgent": ("mlflow.pyfunc.loaders.chat_agent", "_ChatAgentPyfuncWrapper"),
    "ResponsesAgent": ("mlflow.pyfunc.loaders.responses_agent", "_ResponsesAgentPyfuncWrapper"),
}


def load(path: str, request: Mapping[str, Any]) -> Any:
    """Run the model's code and take what it registered. Its file lies in the model directory, by its last name."""
    conf = request["python_function"]
    model = registered(
        os.path.join(path, os.path.basename(conf["model_code_path"])), conf.get("config")
    )
    if is_chat(model):
        return chat_model.wrapped(model, path, conf)
    wrapped = with_context(model, path, conf)
    for kind in type(model).__mro__:
        if kind.__module__ == "mlflow.pyfunc.model" and kind.__name__ in WRAPPERS:
            return _wrap(model, wrapped, *WRAPPERS[kind.__name__])
    return wrapped


def registered(file: str, config: Any) -> Any:
    """Run a file of code and give the model that it registered. Raises `RuntimeError` for one that registers none."""
    _configure(config)
    sys.modules.setdefault("envkit.inside.author.registry", registry)
    if REGISTRY in sys.modules:
        sys.modules[REGISTRY].__dict__[REGISTERED] = None  # an earlier file's
    model = registry.registered_by(lambda: _run(file))
    if model is None:
        model = getattr(sys.modules.get(REGISTRY), REGISTERED, None)
    if model is None:
        raise RuntimeError(
            f"{os.path.basename(file)} did not register a model: it never called `set_model`"
        )
    return model


def is_chat(model: Any) -> bool:
    """Whether a model is asked in chat completions, whoever defined its base class."""
    homes = (
        "mlflow.pyfunc.model",
        base_classes.__name__,
        "envkit.inside.author.base_classes",
        "_envkit.author.base_classes",
    )
    return any(
        kind.__name__ == "ChatModel" and kind.__module__ in homes for kind in type(model).__mro__
    )


def _configure(config: Any) -> None:
    """Put the configuration where `mlflow.models.ModelConfig` looks for it."""
    fake_mlflow.configuration.set(config)
    if config and "mlflow" not in fake_mlflow.supplied():
        import_module("mlflow.models.model_config").__dict__["__mlflow_model_config__"] = config


def _run(path: str) -> None:
    name = "code_model_" + os.path.splitext(os.path.basename(path))[0]
    spec = spec_from_file_location(name, path, loader=NoBytecodeLoader(name, path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _wrap(model: Any, wrapped: Any, module: str, name: str) -> Any:
    import inspect

    wrapper = getattr(import_module(module), name)
    known = {"context": wrapped.context, "signature": None}
    names = list(inspect.signature(wrapper).parameters)[1:]
    return wrapper(model, *(known.get(each) for each in names))
