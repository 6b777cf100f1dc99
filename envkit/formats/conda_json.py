"""What `conda … --json` and `mamba … --json` print when they fail.

conda prints one object: `exception_name`, `message`, `caused_by`, and the exception's own facts,
such as `packages`; several errors are a list in `errors`. mamba and micromamba print `success` and
`solver_problems`. Progress, warnings and other programs may print before and after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NOT_FOUND = ("PackagesNotFound", "ResolvePackageNotFound")
_UNSATISFIABLE = "UnsatisfiableError"
_DEPTH = 10  # of errors in errors, and of causes


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaError:
    """An error of conda.

    Attributes:
        name: The class of the exception: `CondaHTTPError`.
        message: What went wrong.
        causes: What caused it, the nearest first.
        packages: The match specs that no channel has, of an error that says so.
    """

    name: str
    message: str
    causes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def is_unsolvable(self) -> bool:
        """Whether no packages of the channels fit what was requested."""
        return self.name.startswith(_NOT_FOUND) or self.name.endswith(_UNSATISFIABLE)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.message}"]
        lines += [f"Caused by: {cause}" for cause in self.causes]
        return "\n".join(lines)


def errors(output: str) -> tuple[CondaError, ...]:
    """Return the errors in what a program printed, each once; none when it printed no such JSON."""
    found: dict[CondaError, None] = {}
    for answer in answers(output):
        for error in _errors(answer, _DEPTH):
            found.setdefault(error)
    return tuple(found)


def answers(output: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects that begin a line of the output."""
    decoder = json.JSONDecoder()
    # progress is separated by NUL characters
    text = output.replace("\0", "\n")
    position = _next_object(text, 0)
    while position >= 0:
        try:
            answer, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield answer
        position = _next_object(text, end)


def _next_object(text: str, start: int) -> int:
    if text.startswith("{", start) and (start == 0 or text[start - 1] == "\n"):
        return start
    position = text.find("\n{", start)
    if position < 0:
        return -1
    return position + 1


def _errors(answer: Mapping[str, Any], depth: int) -> Iterator[CondaError]:
    several = answer.get("errors")
    if isinstance(several, list) and several and depth:
        for error in several:
            if isinstance(error, dict):
                yield from _errors(error, depth - 1)
        return
    problems = answer.get("solver_problems")
    if isinstance(problems, list) and answer.get("success") is False:
        yield CondaError(name=_UNSATISFIABLE, message="\n".join(map(str, problems)))
        return
    name = answer.get("exception_name")
    message = str(answer.get("message") or answer.get("error") or "").strip()
    if isinstance(name, str) or (message and "error" in answer):
        yield CondaError(
            name=str(name or "CondaError"),
            message=message,
            causes=tuple(_causes(answer.get("caused_by"), depth)),
            packages=tuple(_packages(answer)),
        )


def _causes(cause: object, depth: int) -> Iterator[str]:
    if isinstance(cause, dict):
        for error in _errors(cause, 0):
            yield f"{error.name}: {error.message}"
        if depth:
            yield from _causes(cause.get("caused_by"), depth - 1)
    elif isinstance(cause, list):
        for each in cause:
            yield from _causes(each, 0)
    elif cause and str(cause) != "None":
        yield str(cause)


def _packages(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the specs; older versions call them `bad_deps`, and have lists of them."""
    specs = answer.get("packages") or answer.get("bad_deps")
    if not isinstance(specs, Sequence) or isinstance(specs, str):
        return
    for spec in specs:
        if isinstance(spec, list):
            yield from map(str, spec[-1:])
        else:
            yield str(spec)
