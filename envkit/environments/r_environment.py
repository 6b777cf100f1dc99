"""Models of R: nothing is built for them, they run in the R of this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from envkit.child import r
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.errors import InvalidArgument


def prepare(
    overrides: Sequence[str], python: Path | None, report: Callable[[str], None] | None
) -> Environment:
    """Find R; the environment has its folder for `path`, and for `python` envkit's own, which starts and asks R.

    Raises `ToolNotFound` when R or its package jsonlite is missing, `InvalidArgument` for what a
    model of R has not: requirements to override, a Python of its own.
    """
    if overrides or python is not None:
        if overrides:
            what = "requirements of Python to override"
        else:
            what = "Python of its own to choose"
        raise InvalidArgument(f"A model of R has no {what}.")
    found = r.find(os.environ)
    note = f"A model of R: it runs in R {found.version} of this machine ({found.home}), for which nothing is rebuilt."
    if report is not None:
        report(note)
    return Environment(
        python=Path(sys.executable), path=found.home, key="", manager=EnvType.LOCAL, notes=(note,)
    )
