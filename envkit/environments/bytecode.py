"""Bytecode of an environment that confined models use: they cannot write it themselves.

What a model's process reports only chooses among the files that the environment's own records list.
No path that it wrote is opened or compiled.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from envkit.child import process, variables
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.inside import programs
from envkit.installed import records

_PROGRAM = Path(programs.__file__).resolve().with_name("keep_bytecode.py")
_SECONDS = 60.0
_LIB64 = "lib64/"


def keep(environment: Environment, reported: object) -> None:
    """Compile what a confined model imported from its environment.

    Without bytecode it would compile these files at every start. reported: what its process says
    are their paths; whatever is no path of a recorded file is passed over.
    """
    if environment.manager is EnvType.LOCAL or not os.access(environment.path, os.W_OK):
        return
    wanted = set(_below(environment, reported))
    if not wanted:
        return
    base = Path(os.path.realpath(environment.path))
    recorded = sorted(wanted.intersection(records.sources(environment.path)))
    sources = [str(base / path) for path in recorded if _stays_in_place(base / path)]
    if not sources:
        return
    with tempfile.NamedTemporaryFile("w", prefix="envkit-", encoding="utf-8") as request:
        json.dump(sources, request)
        request.flush()
        # it may fail: the model predicts without it, too
        process.run(
            [environment.python, "-I", "-S", _PROGRAM, request.name],
            environment=variables.for_program(os.environ, environment.python),
            timeout=_SECONDS,
            keep_output=True,
        )


def _below(environment: Environment, reported: object) -> Iterator[str]:
    """Yield the reported paths below an environment, relative to it, as its records spell them."""
    if not isinstance(reported, list):
        return
    prefixes = (f"{environment.path}/", f"{os.path.realpath(environment.path)}/")
    for path in reported:
        if not isinstance(path, str):
            continue
        prefix = next((each for each in prefixes if path.startswith(each)), None)
        if prefix is None:
            continue
        relative = path.removeprefix(prefix)
        if not relative.isprintable():
            continue
        yield relative
        if relative.startswith(_LIB64):  # in virtual environments a link to `lib`
            yield f"lib/{relative.removeprefix(_LIB64)}"


def _stays_in_place(source: Path) -> bool:
    """Whether neither a recorded file nor the folder of its bytecode is reached by a link."""
    cache = source.with_name("__pycache__")
    in_place = all(os.path.realpath(path) == str(path) for path in (source, cache))
    return in_place and source.is_file()
