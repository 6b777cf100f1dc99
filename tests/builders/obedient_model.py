"""A model that does what its input says, good and bad, and a client that tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.builders.interpreters import RUNNING
from tests.builders.models import write_model

CODE = '''
"""Obeys its input."""
import os, signal, sys, time

sys.modules["pandas"] = None  # not needed, and slow to import

class Model:
    def predict(self, data, params=None):
        if isinstance(data, dict):
            return [data, params]
        order, arguments = str(data[0]), [str(argument) for argument in data[1:]]
        if order == "sleep":
            time.sleep(float(arguments[0]))
        if order == "raise":
            raise ValueError("a secret")
        if order == "exit":
            sys.exit(3)
        if order == "die":
            os._exit(7)
        if order == "fault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if order == "child":
            return os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
        if order == "home":
            return os.listdir(os.path.expanduser("~"))
        if order == "large":
            return "x" * int(arguments[0])
        nan = [float("nan"), 1.5, float("-inf")]
        answers = {"pid": os.getpid(), "nan": nan, "object": object()}
        return answers.get(order, order)

    def predict_stream(self, data, params=None):
        for message in data["messages"]:
            if message == "raise":
                raise ValueError("a secret")
            if isinstance(message, float):
                time.sleep(message)
            yield {"said": message, "pid": os.getpid()}

def _load_pyfunc(path):
    return Model()
'''


class Serve(Protocol):
    """Serves a model in a thread until the test ends; gives the URL."""

    def __call__(self, model: Path, **options: Any) -> str: ...


def obedient_model(
    folder: Path, code: str = CODE, signature: Any = None, streamable: bool = True
) -> Path:
    """Write the model, or one with other code, for the running interpreter; it requires nothing."""
    return write_model(
        folder,
        code,
        loader_module="obedient",
        requirements="",
        signature=signature,
        streamable=streamable,
        python_version=RUNNING,
    )


def ask(url: str, *words: object) -> httpx.Response:
    """Request a prediction on a list of texts."""
    request = {"inputs": [str(word) for word in words]}
    # Nothing is verified: to load the certificates takes a while.
    return httpx.post(f"{url}/invocations", json=request, timeout=30, verify=False)
