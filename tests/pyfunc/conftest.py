"""Models as authors save them: by a program whose classes are in `__main__`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTHOR = """
import sys
from pathlib import Path

import pandas as pd

from envkit import pyfunc
from envkit.pyfunc import ChatChoice, ChatCompletionResponse, ChatMessage, ChatModel, PythonModel

here = Path(sys.argv[1])
frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


class Scaled(PythonModel):
    def load_context(self, context):
        factor = float(Path(context.artifacts["factor"]).read_text())
        self.factor = factor * context.model_config["times"]

    def predict(self, context, model_input, params=None):
        return model_input * self.factor + (params or {}).get("plus", 0)


class Upper(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return [text.upper() for text in model_input]

    def predict_stream(self, model_input: list[str]):
        yield from (text.upper() for text in model_input)


class Shout(ChatModel):
    def predict(self, context, messages, params):
        message = ChatMessage(role="assistant", content=messages[-1].content.upper())
        choices = [ChatChoice(message=message)]
        return ChatCompletionResponse(id="1", model="m", created=5, choices=choices)


def double(data):
    return data * 2


(here / "factor.txt").write_text("3")
(here / "code.py").write_text(
    "from envkit.models import set_model\\n"
    "from envkit.pyfunc import PythonModel\\n"
    "class Doubled(PythonModel):\\n"
    "    def predict(self, model_input):\\n"
    "        return model_input * 2\\n"
    "set_model(Doubled())\\n"
)
artifacts, config = {"factor": (here / "factor.txt").as_uri()}, {"times": 2, "unused": 1}
options = {"artifacts": artifacts, "model_config": config, "input_example": (frame, {"plus": 0})}
pyfunc.save_model(here / "scaled", python_model=Scaled(), **options)
pyfunc.save_model(here / "upper", python_model=Upper(), input_example=["a"], metadata={"by": "me"})
pyfunc.save_model(here / "shout", python_model=Shout())
options = {"input_example": frame, "extra_pip_requirements": ["six==0.0.1"]}
pyfunc.save_model(here / "double", python_model=double, **options)
pyfunc.save_model(here / "code", python_model=str(here / "code.py"), input_example=frame)
"""


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of saved models: scaled, upper, shout, double, code."""
    folder = tmp_path_factory.mktemp("saved")
    program = folder / "author.py"
    program.write_text(AUTHOR)
    subprocess.run(
        [sys.executable, program, folder], check=True, env={**os.environ, "UV_OFFLINE": "1"}
    )
    return folder


LOADER = """
import os, sys, time

class Model:
    def predict(self, data, params=None):
        order = data if isinstance(data, str) else ""
        if order == "raise":
            raise ValueError("not today")
        if order == "die":
            os._exit(7)
        if order == "sleep":
            time.sleep(60)
        if order == "pid":
            return os.getpid()
        if order == "object":
            return object()
        print("printed by the model")
        return {"data": data, "params": params, "prefix": sys.prefix}

    def predict_stream(self, data, params=None):
        for item in data:
            if item == "raise":
                raise ValueError("not this one")
            yield (item, os.getpid())

def _load_pyfunc(path):
    return Model()
"""


@pytest.fixture(scope="session")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that needs no package and obeys commands."""
    from envkit import pyfunc

    folder = tmp_path_factory.mktemp("ordered")
    (folder / "obeying.py").write_text(LOADER)
    pyfunc.save_model(
        folder / "model",
        loader_module="obeying",
        code_paths=[folder / "obeying.py"],
        streamable=True,
    )
    return folder / "model"
