"""Whether a program is a Python that `envkit/inside` can run in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from envkit.errors import NotAnInterpreter

OLDEST = (3, 8)  # what `envkit/inside` is written for

_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"
_SECONDS = 10.0


def check(python: Path, environment: Mapping[str, str]) -> None:
    """Ask a program what it is, quietly. Raises `NotAnInterpreter` for what is no Python, or too old a one."""
    from envkit.child import process  # 4 ms that naming a program does not cost

    try:
        answer = process.run(
            [python, "-E", "-S", "-c", _ASK],
            environment=environment,
            timeout=_SECONDS,
            keep_output=True,
        )
    except OSError as error:
        raise NotAnInterpreter(str(python), error.strerror or str(error)) from error
    version = re.fullmatch(r"(\d+)\.(\d+)", answer.output.strip())
    if not answer.succeeded or version is None:
        raise NotAnInterpreter(str(python), "it does not answer as Python does")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise NotAnInterpreter(
            str(python),
            f"it is Python {version[0]}, and envkit needs {OLDEST[0]}.{OLDEST[1]} or newer",
        )
