"""Every deliberate failure of envkit, with its exit code.

    EnvkitError
    ├── InvalidArgument          2  an argument that cannot be meant
    ├── InvalidInput             3  something given is missing or malformed
    │   ├── ModelNotFound           no model directory there
    │   ├── InvalidFile             a file breaks its format
    │   ├── PathOutsideModel        a field of the model leads out of it
    │   └── InputMismatch           data do not fit the model's signature
    ├── CaptureFailed            4  the model could not be traced
    │   ├── ModelRaised             its code raised
    │   ├── ModelDied               its process ended before it was done
    │   └── ModelTimedOut           it took longer than it may
    ├── Degraded                 4  a strict capture met what it could not see or record
    ├── BuildFailed              5  the environment could not be built
    ├── PredictionFailed         6  the model failed in its rebuilt environment
    └── Missing                  7  something that must be on the machine is not
        ├── InterpreterNotFound     no fitting Python
        ├── NotAnInterpreter        what was named as Python is none
        └── ToolNotFound            a program or an optional library

Each exception carries the facts as attributes, is built from positional facts (so that it pickles),
and says in `str()` what was sought, where, and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class EnvkitError(Exception):
    """Base of every deliberate failure; `exit_code` is what the command line ends with."""

    exit_code = 1


class InvalidArgument(EnvkitError, ValueError):
    """An argument that cannot be meant: an unknown format, two that exclude each other."""

    exit_code = 2


class InvalidInput(EnvkitError):
    """Something that was given is missing or malformed."""

    exit_code = 3


class ModelNotFound(InvalidInput):
    """There is no model where one was named."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where, self.problem = where, problem

    def __str__(self) -> str:
        return f"No model at {self.where}: {self.problem}."


class InvalidFile(InvalidInput):
    """A file breaks its format.

    `where` is the key or line inside the file (`flavors.python_function.loader_module`, `line 3`),
    or empty.
    """

    def __init__(self, path: Path | str, where: str, problem: str, hint: str = "") -> None:
        super().__init__(str(path), where, problem, hint)
        self.path, self.where, self.problem, self.hint = str(path), where, problem, hint

    def __str__(self) -> str:
        if self.where:
            place = f"{self.path}, {self.where}"
        else:
            place = self.path
        return f"{place}: {self.problem}." + (f" {self.hint}" if self.hint else "")


class PathOutsideModel(InvalidInput):
    """A field of the model names a path that leads out of the model directory."""

    def __init__(self, path: Path | str, field: str, value: str) -> None:
        super().__init__(str(path), field, value)
        self.path, self.field, self.value = str(path), field, value

    def __str__(self) -> str:
        return (
            f"{self.path}, {self.field}: '{self.value}' leads out of the model directory. "
            "Everything that a model needs must lie inside it."
        )


class InputMismatch(InvalidInput, ValueError):
    """Data or parameters do not fit the signature of the model that is to take them."""


class CaptureFailed(EnvkitError):
    """The model could not be traced; none of its files was changed.

    `seen` is what was known until then, as JSON values: `requirements`, `constraints`,
    `environment_variables`, `evidence`; None when the model had not begun to load.
    """

    exit_code = 4
    seen: Mapping[str, Any] | None = None


class ModelRaised(CaptureFailed):
    """The model's own code raised while it was loaded or while it predicted."""

    def __init__(self, phase: str, kind: str, message: str, traceback: str) -> None:
        super().__init__(phase, kind, message, traceback)
        self.phase, self.kind, self.message, self.traceback = phase, kind, message, traceback

    def __str__(self) -> str:
        if self.message:
            said = f"{self.kind}: {self.message}"
        else:
            said = self.kind
        hint = ""
        if self.kind == "ModuleNotFoundError":
            hint = (
                "\nIf another Python has that module, name it: `--python PATH/TO/python`. "
                "If it is a file of your own, name its folder: `--code-path DIR`."
            )
        return f"The model raised while it was to {self.phase}: {said}{hint}"


class ModelDied(CaptureFailed):
    """The model's process ended before it had loaded and predicted.

    `status` is as in `subprocess.Popen.returncode`: an exit status, or the negative number of a
    signal.
    """

    def __init__(self, phase: str, status: int, how: str) -> None:
        super().__init__(phase, status, how)
        self.phase, self.status, self.how = phase, status, how

    def __str__(self) -> str:
        return f"The model's process {self.how} while it was to {self.phase}."


class ModelTimedOut(CaptureFailed):
    """Loading and predicting took longer than allowed; the whole process group was ended."""

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(phase, seconds)
        self.phase, self.seconds = phase, seconds

    def __str__(self) -> str:
        return (
            f"The model was still busy to {self.phase} after {self.seconds:g} s and was ended. "
            "Allow more with `--timeout SECONDS`."
        )


class Degraded(EnvkitError):
    """A strict capture met something that it could not see or record."""

    exit_code = 4

    def __init__(self, degradations: tuple[str, ...]) -> None:
        super().__init__(degradations)
        self.degradations = degradations

    def __str__(self) -> str:
        lines = "".join(f"\n  - {each}" for each in self.degradations)
        return f"Nothing was written, because the capture is not complete and `--strict` asks for that:{lines}"


class BuildFailed(EnvkitError):
    """The environment could not be built; nothing of it was kept."""

    exit_code = 5

    def __init__(self, doing: str, output: str) -> None:
        super().__init__(doing, output)
        self.doing, self.output = doing, output

    def __str__(self) -> str:
        return f"Could not {self.doing}." + (
            f"\n{self.output.strip()}" if self.output.strip() else ""
        )


class PredictionFailed(EnvkitError):
    """The model, or the input given to it, failed inside the rebuilt environment."""

    exit_code = 6

    def __init__(self, phase: str, problem: str, traceback: str = "") -> None:
        super().__init__(phase, problem, traceback)
        self.phase, self.problem, self.traceback = phase, problem, traceback

    def __str__(self) -> str:
        return f"The model failed to {self.phase}: {self.problem}"


class Missing(EnvkitError):
    """Something that must be on the machine is not there."""

    exit_code = 7


class InterpreterNotFound(Missing):
    """No interpreter of the version that the model was captured with.

    `searched` are the places, `refused` sentences: what was there but may not be taken, why nothing
    was downloaded.
    """

    def __init__(
        self, wanted: str, searched: tuple[str, ...], refused: tuple[str, ...] = ()
    ) -> None:
        super().__init__(wanted, searched, refused)
        self.wanted, self.searched, self.refused = wanted, searched, refused

    def __str__(self) -> str:
        lines = [
            f"Python {self.wanted} is not on this machine (looked in {', '.join(self.searched)})."
        ]
        lines += self.refused[:3]
        lines += [
            f"Install it: `uv python install {self.wanted}` or `pyenv install {self.wanted}`."
        ]
        return "\n".join(lines)


class NotAnInterpreter(Missing):
    """What was named as an interpreter cannot be started as one."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} is no Python that can be started: {self.problem}."


class ToolNotFound(Missing):
    """A program or an optional library that this work needs is not installed."""

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(tool, remedy)
        self.tool, self.remedy = tool, remedy

    def __str__(self) -> str:
        return f"{self.tool} is not installed. {self.remedy}"
