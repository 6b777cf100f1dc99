"""Start a Python to describe itself; no code of any model runs in that process.

Everyone who wants to know something about a Python starts the same program,
`inside/programs/describe_python.py`, whose docstring lists what it reports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.child import process
from envkit.child.variables import Variables
from envkit.errors import NotAnInterpreter
from envkit.inside import programs
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.interpreter import OLDEST, numbers_of
from envkit.interpreters.program import find_program

PROGRAM = Path(programs.__file__).resolve().with_name("describe_python.py")
_SECONDS = 60.0


def describe(
    named: str | Path | None,
    *,
    environment: Variables | None = None,
    isolated: bool = False,
) -> InterpreterFacts:
    """Start an interpreter and return what it says of itself.

    Args:
        named: A program, the folder of an environment, or a command on the PATH; None for the
            interpreter that runs envkit.
        environment: The variables that it gets; by default those of this process.
        isolated: Ignore `PYTHON*` variables and the user's site (`-I`): right for an environment
            that envkit built, wrong for one that is to be seen as its user has it.

    Raises:
        NotAnInterpreter: It does not start, or is not a Python that envkit supports.
    """
    program = find_program(named)
    variables = os.environ if environment is None else environment
    report = ask(program, variables, isolated=isolated)
    version = str(report["version"])
    if numbers_of(version)[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise NotAnInterpreter(
            str(program), f"it is Python {version}, and envkit needs {oldest} or newer"
        )
    try:
        return InterpreterFacts.from_report(report)
    except (KeyError, TypeError) as error:
        raise NotAnInterpreter(str(program), "its description is incomplete") from error


def ask(
    program: Path,
    environment: Variables,
    *,
    isolated: bool,
    seconds: float = _SECONDS,
) -> Mapping[str, Any]:
    """Return the report of a program, which has a `version` at least. Raises `NotAnInterpreter`."""
    flags = ["-I"] if isolated else []
    try:
        ended = process.run(
            [program, *flags, PROGRAM],
            environment=environment,
            timeout=seconds,
            keep_output=True,
        )
    except OSError as error:
        raise NotAnInterpreter(str(program), error.strerror or str(error)) from error
    report = _report_in(ended.output)
    if report is None:
        raise NotAnInterpreter(
            str(program), f"it did not describe itself (its process {ended.how})"
        )
    return report


def _report_in(output: str) -> Mapping[str, Any] | None:
    """Read the last line; what the start of the environment printed stands before it."""
    lines = output.splitlines()
    try:
        report = json.loads(lines[-1])
    except (IndexError, ValueError, RecursionError):
        return None
    if isinstance(report, dict) and isinstance(report.get("version"), str):
        return report
    return None
