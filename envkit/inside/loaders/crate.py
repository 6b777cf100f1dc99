"""The flavor `crate` of R: a function of R, in a process of R that runs `crate.R`.

Needs: Rscript on the PATH, and R's package jsonlite.
Takes: JSON and CSV requests, which it reads itself.
Returns: the answer as jsonlite writes it, in which vectors are lists.

https://mlflow.org/docs/latest/R-api.html, https://cran.r-project.org/package=carrier
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import Any, Mapping

from ..data.requests import r_request
from ..data.requests.model_input import ModelInput, RequestReader
from ..data.signature import InvalidInput, Signature
from ..failures import ForeignError
from ..request import Request

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crate.R")


class RError(ForeignError):
    """What R raised."""


class Crate(RequestReader):
    """A function of R, in its process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def read(self, content: bytes, content_type: str, signature: Signature) -> ModelInput:
        """Send the data of a request to R. Raises `InvalidInput`."""
        message, params = r_request.message_of_request(content, content_type, signature)
        try:
            self._process.ask(message)
        except RError as error:
            raise InvalidInput(f"R cannot read it: {error}") from error
        return ModelInput(None, params)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 - R has the data
        """Predict on the data that were read last."""
        message = {
            "ask": "predict",
            "params": r_request.json_for_r(params or {}),
        }
        return self._process.ask(message)["value"]


class Process:
    """The process of R: it reads messages from one pipe and answers on another."""

    def __init__(self, rscript: str, model: str) -> None:
        questions_for_r, questions = os.pipe()
        answers, answers_of_r = os.pipe()
        for descriptor in (questions_for_r, answers_of_r):
            os.set_inheritable(descriptor, True)
        paths = (f"/dev/fd/{questions_for_r}", f"/dev/fd/{answers_of_r}")
        self._pid = os.posix_spawn(
            rscript,
            [rscript, PROGRAM, model, *paths],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            setsigdef=[signal.SIGPIPE],  # which Python ignores
        )
        os.close(questions_for_r)
        os.close(answers_of_r)
        self._questions = os.fdopen(questions, "wb")
        self._answers = os.fdopen(answers, "rb")

    def ask(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a message and return the answer.

        Raises `RError`. If R has ended, this process ends in the same way.
        """
        line = json.dumps(message, allow_nan=False).encode("ascii") + b"\n"
        try:
            self._questions.write(line)
            self._questions.flush()
        except BrokenPipeError:
            self._end_like_r()
        return self.read_answer()

    def read_answer(self) -> Mapping[str, Any]:
        """Wait for an answer and return it. Raises as `ask` does."""
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            self._end_like_r()
        answer: Mapping[str, Any] = json.loads(line)
        if answer["event"] == "error":
            raise _r_error(answer)
        return answer

    def close(self) -> None:
        """Let R end, which it does when its pipes are closed."""
        self._questions.close()
        self._answers.close()
        os.waitpid(self._pid, 0)

    def _end_like_r(self) -> None:
        """End this process as R ended, so that the parent sees what happened to the model."""
        _, status = os.waitpid(self._pid, 0)
        if not os.WIFSIGNALED(status):
            os._exit(os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(128 + number)  # not reached: the signal ends a process by default


def load(path: str, request: Request) -> Crate:  # noqa: ARG001 - as the other loaders
    """Start R and let it load the model file at `path`."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        raise FileNotFoundError("Rscript, which runs R models, is not on the PATH")
    process = Process(rscript, path)
    try:
        process.read_answer()
    except RError:
        process.close()
        raise
    return Crate(process)


def _r_error(answer: Mapping[str, Any]) -> RError:
    """Make the exception for an error of R, with a traceback as R prints it."""
    message, call = str(answer["message"]), str(answer["call"])
    first_line = f"Error in {call} : {message}" if call else f"Error: {message}"
    lines = [first_line]
    if answer["calls"]:
        lines.append("Calls: " + " -> ".join(answer["calls"]))
    return RError(message, "\n".join(lines) + "\n")
