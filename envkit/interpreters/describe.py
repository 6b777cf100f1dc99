"""Ask an interpreter what it is, in the environment that its user has."""

from __future__ import annotations

import os
from pathlib import Path

from envkit.child.runner import run_inside
from envkit.errors import NotAnInterpreter
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.program import find_program

_SECONDS = 60.0


def describe(named: str | Path | None) -> InterpreterFacts:
    """Start an interpreter and return what it says of itself; no code of any model is run.

    Args:
        named: A program, the folder of an environment, or a command on the PATH; None for the
            interpreter that runs envkit.

    Raises:
        NotAnInterpreter: It does not start, or is not a Python that envkit supports.
    """
    program = find_program(named)
    try:
        journal = run_inside(
            program,
            {"job": "describe"},
            environment=os.environ,
            timeout=_SECONDS,
            isolated=False,
        )
    except OSError as error:
        raise NotAnInterpreter(str(program), error.strerror or str(error)) from error
    if not journal.done:
        raise NotAnInterpreter(str(program), f"its process {journal.ended.how}")
    return InterpreterFacts.from_event(next(journal.named("interpreter")))
