"""Python models: an object, a function, Python files, a chat, data with a loader."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd

from tests.flavors.case import Case

from . import data

try:  # where MLflow saves the model
    from mlflow.pyfunc import ChatModel, PythonModel
    from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage
except ImportError:
    from envkit.pyfunc import (
        ChatChoice,
        ChatCompletionResponse,
        ChatMessage,
        ChatModel,
        PythonModel,
    )

CODE = """
import pandas as pd
from mlflow.models import ModelConfig, set_model
from mlflow.pyfunc import PythonModel

config = ModelConfig(development_config={"factor": 1})


class Scaled(PythonModel):
    def predict(self, context, model_input, params=None):
        return pd.DataFrame({"scaled": model_input["a"] * config.get("factor")})


set_model(Scaled())
"""
LOADER = """
from pathlib import Path

import pandas as pd


class Shifted:
    def __init__(self, by):
        self.by = by

    def predict(self, data):
        return pd.DataFrame({"shifted": data["a"] + self.by})


def _load_pyfunc(path):
    return Shifted(float(Path(path).read_text()))
"""
VOLATILE = ("id", "created")


class Weighted(PythonModel):
    """Reads an artifact, takes parameters."""

    def load_context(self, context: Any) -> None:
        self.weight = float(Path(context.artifacts["weight"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return pd.DataFrame(
            {
                "sum": model_input["a"] * self.weight
                + model_input["b"] * (params or {}).get("times", 1)
            }
        )


class Streaming(PythonModel):
    """Takes no context, and also predicts piece by piece."""

    def predict(self, model_input: list[str]) -> list[str]:
        return [each.upper() for each in model_input]

    def predict_stream(self, model_input: list[str]) -> Iterator[str]:
        yield from self.predict(model_input)


class Echo(ChatModel):
    """Repeats the message."""

    def predict(self, context: Any, messages: Any, params: Any) -> Any:
        said = ChatMessage(role="assistant", content=messages[-1].content)
        return ChatCompletionResponse(choices=[ChatChoice(index=0, message=said)], model="echo")


def longest(model_input: list[str]) -> list[int]:
    return [max(map(len, each.split())) for each in model_input]


def total(model_input: Any) -> Any:
    return model_input.sum(axis=1)


def cases() -> list[Case]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    rows, texts = data.example(), ["a good day", "a thing"]
    said = {"messages": [{"role": "user", "content": "what is it"}]}
    weight = {"artifacts": {"weight": _file("weight.txt", "2.5")}}
    return [
        Case(
            name="PythonModel, artifact",
            make=partial(_python, Weighted),
            example=rows,
            options=weight,
            by_name=True,
        ),
        Case(
            name="parameters",
            make=partial(_python, Weighted),
            example=rows,
            params={"times": 3},
            options=weight,
            by_name=True,
        ),
        Case(
            name="type hints, streams",
            make=partial(_python, Streaming),
            example=texts,
            by_name=True,
        ),
        Case(name="function", make=partial(dict, python_model=total), example=rows, by_name=True),
        Case(
            name="function, type hints",
            make=partial(dict, python_model=longest),
            example=texts,
            by_name=True,
        ),
        Case(
            name="ChatModel",
            make=partial(_python, Echo),
            example=said,
            volatile=VOLATILE,
            by_name=True,
        ),
        Case(name="code, model_config", make=code, example=rows, by_name=True),
        Case(name="loader_module", make=loader, example=rows, by_name=True),
    ]


def code() -> dict[str, Any]:
    """Return a file that registers its model, with a configuration."""
    return {"python_model": _file("scaled.py", CODE), "model_config": {"factor": 4}}


def loader() -> dict[str, Any]:
    """Return a module that loads data."""
    file = _file("loader_of_shifts.py", LOADER)
    return {
        "loader_module": "loader_of_shifts",
        "code_paths": [file],
        "data_path": _file("by.txt", "1.5"),
    }


def _python(kind: Any) -> dict[str, Any]:
    return {"python_model": kind()}


def _file(name: str, text: str) -> str:
    file = Path(tempfile.mkdtemp(), name)
    file.write_text(text, encoding="utf-8")
    return str(file)
