"""Models of R: nothing is built for them, they run in the local R."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from envkit.child import r
from envkit.child.progress import Reporter
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.errors import InvalidArgument


def prepare(choice: EnvironmentChoice, report: Reporter | None) -> Environment:
    """Find R; `path` is its folder, `python` the interpreter that runs envkit and starts R.

    Raises `ToolNotFound` when R or its package jsonlite is missing, `InvalidArgument` for a choice
    that a model of R does not have: an interpreter, or requirements to override.
    """
    if choice.overrides:
        raise InvalidArgument("A model of R has no requirements of Python to override.")
    if choice.python is not None:
        raise InvalidArgument("A model of R has no Python of its own to choose.")
    installation = r.find(os.environ)
    note = (
        f"A model of R: it runs in the local R {installation.version} ({installation.home}); "
        "nothing is rebuilt."
    )
    if report is not None:
        report(note)
    return Environment(
        python=Path(sys.executable),
        path=installation.home,
        key="",
        manager=EnvType.LOCAL,
        notes=(note,),
    )
