"""Every deliberate failure of envkit, with its exit code.

    EnvkitError
    ├── InvalidArgument          2  an argument that is unknown or excludes another one
    ├── InvalidInput             3  an input is missing or malformed
    │   ├── ModelNotFound           there is no model directory
    │   ├── InvalidFile             a file breaks its format
    │   ├── PathOutsideModel        a field of the model points outside it
    │   └── InputMismatch           data do not fit the model's signature
    ├── CaptureFailed            4  the model could not be traced
    │   ├── ModelRaised             its code raised an exception
    │   ├── ModelDied               its process ended too early
    │   └── ModelTimedOut           it took longer than allowed
    ├── IncompleteCapture        4  a strict capture has warnings
    ├── BuildFailed              5  the environment could not be built
    ├── PredictionFailed         6  the model failed in its rebuilt environment
    └── Missing                  7  the machine lacks something
        ├── InterpreterNotFound     a matching Python
        ├── NotAnInterpreter        a Python where one was named
        ├── ToolNotFound            a program or an optional library
        └── AddressUnavailable      a free port or socket to listen on

Each exception is built from positional facts, so that it pickles, keeps them as attributes, and
says in `str()` what happened, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_GERUNDS = {
    "start": "starting",
    "load": "loading",
    "input": "reading its input",
    "predict": "predicting",
    "output": "writing its answer",
    "run": "running",
}


def gerund(phase: str) -> str:
    """Describe a phase of a model's process so that it can follow "while"."""
    return _GERUNDS.get(phase, phase)


def _capitalized(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


class EnvkitError(Exception):
    """The base class. `exit_code` is the exit status of the command line."""

    exit_code = 1


class InvalidArgument(EnvkitError, ValueError):
    """An argument is unknown, malformed, or excludes another one."""

    exit_code = 2


class InvalidInput(EnvkitError):
    """An input is missing or malformed."""

    exit_code = 3


class ModelNotFound(InvalidInput):
    """There is no model at a path or URI.

    Attributes:
        where: The path or URI, without credentials.
        problem: Why there is none.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return f"No model at {self.where}: {self.problem}."


class InvalidFile(InvalidInput):
    """A file breaks its format.

    Attributes:
        path: The file.
        where: The key or line in it (`flavors.python_function.loader_module`, `line 3`), or empty.
        problem: What is wrong there.
        hint: A sentence that says what to do, or empty.
    """

    def __init__(self, path: Path | str, where: str, problem: str, hint: str = "") -> None:
        super().__init__(str(path), where, problem, hint)
        self.path = str(path)
        self.where = where
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.path}, {self.where}" if self.where else self.path
        return f"{place}: {self.problem}. {self.hint}".rstrip()


class PathOutsideModel(InvalidInput):
    """A field of the model names a path outside the model directory.

    Attributes:
        path: The file that has the field.
        field: The key of the field.
        value: The path that it names.
    """

    def __init__(self, path: Path | str, field: str, value: str) -> None:
        super().__init__(str(path), field, value)
        self.path = str(path)
        self.field = field
        self.value = value

    def __str__(self) -> str:
        return (
            f"{self.path}, {self.field}: '{self.value}' is outside the model directory. "
            "Move everything that the model needs into it."
        )


class InputMismatch(InvalidInput, ValueError):
    """Data or parameters do not fit the model's signature."""


class CaptureFailed(EnvkitError):
    """The model could not be traced; none of its files was changed.

    Attributes:
        seen: What was recorded before the failure, as JSON values: `requirements`, `constraints`,
            `environment_variables` and `evidence`. None when the model had not begun to load.
        summary: The failure as a clause, without text of the model's own, which may hold secrets.
    """

    exit_code = 4
    seen: Mapping[str, Any] | None = None

    @property
    def summary(self) -> str:
        """The failure as a clause."""
        return "the model could not be traced"


class ModelRaised(CaptureFailed):
    """The model's code raised an exception.

    Attributes:
        phase: What the model was doing: `load`, `predict` or another phase of the runner.
        kind: The name of the exception's class.
        message: Its text.
        traceback: Its traceback.
    """

    def __init__(self, phase: str, kind: str, message: str, traceback: str) -> None:
        super().__init__(phase, kind, message, traceback)
        self.phase = phase
        self.kind = kind
        self.message = message
        self.traceback = traceback

    @property
    def summary(self) -> str:
        """The failure as a clause, without the message of the exception."""
        return f"the model raised {self.kind} while {gerund(self.phase)}"

    def __str__(self) -> str:
        sentence = _capitalized(self.summary)
        if self.message:
            sentence += f": {self.message}"
        if self.kind == "ModuleNotFoundError":
            sentence += (
                "\nIf another Python has that module, name it with `--python PATH/TO/python`. "
                "If the module is one of your own files, name its folder with `--code-path DIR`."
            )
        return sentence


class ModelDied(CaptureFailed):
    """The model's process ended before it had loaded and predicted.

    Attributes:
        phase: What the model was doing.
        status: The exit status, or the negative number of a signal, as `subprocess` gives it.
        how: The status in words, such as "was killed by SIGKILL".
    """

    def __init__(self, phase: str, status: int, how: str) -> None:
        super().__init__(phase, status, how)
        self.phase = phase
        self.status = status
        self.how = how

    @property
    def summary(self) -> str:
        """The failure as a clause."""
        return f"the model's process {self.how} while {gerund(self.phase)}"

    def __str__(self) -> str:
        return f"{_capitalized(self.summary)}."


class ModelTimedOut(CaptureFailed):
    """Loading and predicting took longer than allowed; the process and its children were stopped.

    Attributes:
        phase: What the model was doing.
        seconds: The limit.
    """

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(phase, seconds)
        self.phase = phase
        self.seconds = seconds

    @property
    def summary(self) -> str:
        """The failure as a clause."""
        return f"the model was still {gerund(self.phase)} after {self.seconds:g} s and was stopped"

    def __str__(self) -> str:
        return f"{_capitalized(self.summary)}. Allow more time with `--timeout SECONDS`."


class IncompleteCapture(EnvkitError):
    """A strict capture has warnings.

    Attributes:
        warnings: The warnings in words.
    """

    exit_code = 4

    def __init__(self, warnings: tuple[str, ...]) -> None:
        super().__init__(warnings)
        self.warnings = warnings

    def __str__(self) -> str:
        lines = [f"  - {warning}" for warning in self.warnings]
        return "\n".join(["The capture has warnings, so `--strict` wrote nothing:", *lines])


class BuildFailed(EnvkitError):
    """The environment could not be built; no part of it was kept.

    Attributes:
        action: The step that failed, such as "install the requirements".
        output: What the failing program printed, or what to do.
    """

    exit_code = 5

    def __init__(self, action: str, output: str) -> None:
        super().__init__(action, output)
        self.action = action
        self.output = output

    def __str__(self) -> str:
        return f"Could not {self.action}.\n{self.output.strip()}".rstrip()


class Unsolvable(BuildFailed):
    """No packages of conda's channels fit what the model requests.

    Attributes:
        missing: The match specs that no channel has; empty where the solver does not say, or where
            packages exclude each other.
    """

    def __init__(self, action: str, output: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(action, output)
        self.args = (action, output, missing)
        self.missing = missing


class PredictionFailed(EnvkitError):
    """The model failed inside its rebuilt environment.

    Attributes:
        phase: What the model was doing.
        problem: What happened.
        traceback: The traceback of the model's exception, or empty.
    """

    exit_code = 6

    def __init__(self, phase: str, problem: str, traceback: str = "") -> None:
        super().__init__(phase, problem, traceback)
        self.phase = phase
        self.problem = problem
        self.traceback = traceback

    def __str__(self) -> str:
        return f"The model failed while {gerund(self.phase)}: {self.problem}"


class Missing(EnvkitError):
    """The machine lacks something that is necessary."""

    exit_code = 7


class UnsafeStore(Missing):
    """The folder of the store could hold what another user put there, which would be run.

    Attributes:
        path: The folder, or what is in its place.
        problem: Why it is not used.
        remedy: What to do about it.
    """

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(path, problem, remedy)
        self.path = path
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"The environment store is not used: {self.path} {self.problem}. {self.remedy}"


class InterpreterNotFound(Missing):
    """No installed Python matches the version that the model was captured with.

    Attributes:
        wanted: The version.
        searched: The places that were searched.
        refused: Sentences about interpreters that do not match, and why none was downloaded.
    """

    def __init__(
        self, wanted: str, searched: tuple[str, ...], refused: tuple[str, ...] = ()
    ) -> None:
        super().__init__(wanted, searched, refused)
        self.wanted = wanted
        self.searched = searched
        self.refused = refused

    def __str__(self) -> str:
        places = ", ".join(self.searched)
        lines = [
            f"Python {self.wanted} is not on this machine (looked in {places}).",
            *self.refused[:3],
            f"Install it: `uv python install {self.wanted}` or `pyenv install {self.wanted}`.",
        ]
        return "\n".join(lines)


class NotAnInterpreter(Missing):
    """A path that was named as a Python interpreter is not one.

    Attributes:
        path: The path.
        problem: Why it cannot be used.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path} is not a working Python interpreter: {self.problem}."


class ToolNotFound(Missing):
    """A program or an optional library is not installed.

    Attributes:
        tool: Its name.
        remedy: A sentence that says how to install it.
    """

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(tool, remedy)
        self.tool = tool
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.tool} is not installed. {self.remedy}"


class AddressUnavailable(Missing):
    """An address cannot be listened on, because another process has it or the system forbids it.

    Attributes:
        address: The address in words, such as "port 5000 of 127.0.0.1".
        problem: Why it cannot be used.
        remedy: A sentence that says what to do.
    """

    def __init__(self, address: str, problem: str, remedy: str) -> None:
        super().__init__(address, problem, remedy)
        self.address = address
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"Cannot listen on {self.address}: {self.problem}. {self.remedy}"
