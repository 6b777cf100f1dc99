"""R's flavor `crate`: a function of R, which a process of R loads and calls. `crate.R` beside this file is its program.

https://mlflow.org/docs/latest/R-api.html, https://cran.r-project.org/package=carrier
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import Any, Mapping

from ..data import r_data
from ..data.payload import Given, Reader
from ..data.signature import InvalidInput
from ..failures import Foreign

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "crate.R")


class RError(Foreign):
    """What R raised."""


class Crate(Reader):
    """A function of R, in its process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def read(self, content: bytes, content_type: str, request: Mapping[str, Any]) -> Given:
        """Hand the data of a request over to R. Raises `InvalidInput`."""
        question, params = r_data.question_of(content, content_type, request.get("signature"))
        try:
            self._process.ask(question)
        except RError as error:
            raise InvalidInput(f"R does not take it: {error}") from error
        return Given(None, params)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 - R has the data
        """Predict on what was read last."""
        return self._process.ask({"ask": "predict", "params": r_data.plain(params or {})})["value"]


class Process:
    """The process of R, which is asked over one pipe and tells over another. It ends when this process does."""

    def __init__(self, rscript: str, model: str) -> None:
        theirs, ours = os.pipe()
        heard, tells = os.pipe()
        for each in (theirs, tells):
            os.set_inheritable(each, True)
        argv = [rscript, PROGRAM, model, f"/dev/fd/{theirs}", f"/dev/fd/{tells}"]
        quiet = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        self._number = os.posix_spawn(
            rscript, argv, os.environ, file_actions=[quiet], setsigdef=[signal.SIGPIPE]
        )
        os.close(theirs)
        os.close(tells)
        self._questions, self._answers = os.fdopen(ours, "wb"), os.fdopen(heard, "rb")

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask, and give what is told. Raises `RError`; ends as R did when that has ended."""
        try:
            self._questions.write(json.dumps(question, allow_nan=False).encode("ascii") + b"\n")
            self._questions.flush()
        except BrokenPipeError:
            self._end_alike()
        return self.told()

    def told(self) -> Mapping[str, Any]:
        """Wait for what is told. Raises as `ask` does."""
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            self._end_alike()
        told: Mapping[str, Any] = json.loads(line)
        if told["event"] == "error":
            raise _raised(told)
        return told

    def close(self) -> None:
        """Let R end, which it does when nobody asks any more."""
        self._questions.close()
        self._answers.close()
        os.waitpid(self._number, 0)

    def _end_alike(self) -> None:
        """End this process as R ended, so that whoever waits is told what happened to the model."""
        _, status = os.waitpid(self._number, 0)
        if not os.WIFSIGNALED(status):
            os._exit(os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(128 + number)  # not reached: the signal ends a process by default


def load(path: str, request: Mapping[str, Any]) -> Crate:  # noqa: ARG001 - as the other loaders
    """Start R and have it load the model of a file."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        raise FileNotFoundError("Rscript, which runs R's models, is not on the PATH")
    process = Process(rscript, path)
    try:
        process.told()
    except RError:
        process.close()
        raise
    return Crate(process)


def _raised(told: Mapping[str, Any]) -> RError:
    message, call = str(told["message"]), str(told["call"])
    lines = [f"Error in {call} : {message}" if call else f"Error: {message}"]
    if told["calls"]:
        lines.append("Calls: " + " -> ".join(told["calls"]))
    return RError(message, "\n".join(lines) + "\n")
