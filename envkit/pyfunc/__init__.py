"""Save, load and run Python models: the API of `mlflow.pyfunc`, under the same names.

A name is imported when it is first used. `spark_udf` comes from a layer above, because this module
is a public namespace.
"""

from __future__ import annotations

# Type checkers know the name; importing `typing` would take longer than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envkit.environments.env_type import EnvType
    from envkit.inside.author.base_classes import ChatModel, PythonModel, PythonModelContext
    from envkit.inside.author.chat import (
        ChatChoice,
        ChatChoiceDelta,
        ChatChunkChoice,
        ChatCompletionChunk,
        ChatCompletionRequest,
        ChatCompletionResponse,
        ChatMessage,
        ChatParams,
        ChatResponse,
        FunctionToolCallArguments,
        TokenUsageStats,
        ToolCall,
    )
    from envkit.inside.author.type_hints import TypeFromExample
    from envkit.models.dependencies import get_model_dependencies
    from envkit.pyfunc.live import LivePyFuncModel
    from envkit.pyfunc.loaded import PyFuncModel
    from envkit.pyfunc.loading import load_model, load_pyfunc
    from envkit.pyfunc.python_models import (
        get_default_conda_env,
        get_default_pip_requirements,
        log_model,
        save_model,
    )
    from envkit.pyfunc.saving import add_to_model
    from envkit.spark import spark_udf

FLAVOR_NAME = "python_function"
# The fields of its section in `MLmodel`, under MLflow's names.
MAIN, CODE, DATA, ENV = "loader_module", "code", "data", "env"
MODEL_CONFIG, MODEL_CODE_PATH, PY_VERSION = "config", "model_code_path", "python_version"

_CHAT = (
    "ChatChoice",
    "ChatChoiceDelta",
    "ChatChunkChoice",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "ChatMessage",
    "ChatParams",
    "ChatResponse",
    "FunctionToolCallArguments",
    "TokenUsageStats",
    "ToolCall",
)
_HOME = {
    "ChatModel": "envkit.inside.author.base_classes",
    "EnvType": "envkit.environments.env_type",
    "LivePyFuncModel": "envkit.pyfunc.live",
    "PyFuncModel": "envkit.pyfunc.loaded",
    "PythonModel": "envkit.inside.author.base_classes",
    "PythonModelContext": "envkit.inside.author.base_classes",
    "TypeFromExample": "envkit.inside.author.type_hints",
    "add_to_model": "envkit.pyfunc.saving",
    "get_default_conda_env": "envkit.pyfunc.python_models",
    "get_default_pip_requirements": "envkit.pyfunc.python_models",
    "get_model_dependencies": "envkit.models.dependencies",
    "load_model": "envkit.pyfunc.loading",
    "load_pyfunc": "envkit.pyfunc.loading",
    "log_model": "envkit.pyfunc.python_models",
    "save_model": "envkit.pyfunc.python_models",
    "spark_udf": "envkit.spark",
    **dict.fromkeys(_CHAT, "envkit.inside.author.chat"),
}
__all__ = [
    "CODE",
    "DATA",
    "ENV",
    "FLAVOR_NAME",
    "MAIN",
    "MODEL_CODE_PATH",
    "MODEL_CONFIG",
    "PY_VERSION",
    "ChatChoice",
    "ChatChoiceDelta",
    "ChatChunkChoice",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "ChatMessage",
    "ChatModel",
    "ChatParams",
    "ChatResponse",
    "EnvType",
    "FunctionToolCallArguments",
    "LivePyFuncModel",
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "TokenUsageStats",
    "ToolCall",
    "TypeFromExample",
    "add_to_model",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "get_model_dependencies",
    "load_model",
    "load_pyfunc",
    "log_model",
    "save_model",
    "spark_udf",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'envkit.pyfunc' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
