"""In place of `mlflow.pyfunc.loaders.code_model`: a model that its own code makes and registers by `set_model`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, Mapping

from .. import registry
from ..bytecode import TracelessLoader
from .python_model import with_context

REGISTRY = "mlflow.models.model"
WRAPPERS = {  # kinds of models that MLflow gives an interface of its own
    "ChatModel": ("mlflow.pyfunc.loaders.chat_model", "_ChatModelPyfuncWrapper"),
    "ChatAgent": ("mlflow.pyfunc.loaders.chat_agent", "_ChatAgentPyfuncWrapper"),
    "ResponsesAgent": ("mlflow.pyfunc.loaders.responses_agent", "_ResponsesAgentPyfuncWrapper"),
}


def load(path: str, request: Mapping[str, Any]) -> Any:
    """Run the model's code and take what it registered. Its file lies in the model directory, by its last name."""
    conf = request["python_function"]
    _configure(conf.get("config"))
    _supply_set_model()
    model = registry.registered_by(lambda: _run(os.path.join(path, os.path.basename(conf["model_code_path"]))))
    if model is None:
        model = getattr(sys.modules.get(REGISTRY), "__mlflow_model__", None)
    if model is None:
        raise RuntimeError(f"{conf['model_code_path']} did not register a model: it never called `set_model`")
    wrapped = with_context(model, path, conf)
    for kind in type(model).__mro__:
        if kind.__module__ == "mlflow.pyfunc.model" and kind.__name__ in WRAPPERS:
            return _wrap(model, wrapped, *WRAPPERS[kind.__name__])
    return wrapped


def _supply_set_model() -> None:
    """Let `from envkit.models import set_model` reach this program, whether or not envkit is installed here."""
    sys.modules.setdefault("envkit.inside.registry", registry)
    if "envkit" in sys.modules or find_spec("envkit") is not None:
        return
    package, models = ModuleType("envkit"), ModuleType("envkit.models")
    package.__path__ = []
    models.__dict__["set_model"] = registry.register
    package.__dict__["models"] = models
    sys.modules.update({"envkit": package, "envkit.models": models})


def _configure(config: Any) -> None:
    """Put the configuration where `mlflow.models.ModelConfig` looks for it."""
    if config:
        import_module("mlflow.models.model_config").__dict__["__mlflow_model_config__"] = config


def _run(path: str) -> None:
    name = "code_model_" + os.path.splitext(os.path.basename(path))[0]
    spec = spec_from_file_location(name, path, loader=TracelessLoader(name, path))
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
