"""Recording goes on in the Python programs that the traced process starts.

What they inherit gets two variables: `PYTHONPATH` with the folder `children` first, whose
`sitecustomize` begins to record, and one that tells it where to and who started it. The traced
process itself never sees either: inherited variables are set below `os.environ`, in the C library,
and those given expressly (`Popen(env=…)`) in the call.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, List, Tuple

from .callers import Callers, as_reader

NAME = b"_ENVKIT_TRACE"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "children")
ENVIRONMENT_ARGUMENT = 5  # of `_posixsubprocess.fork_exec`, Python 3.8 to 3.14

Pairs = Dict[bytes, bytes]


class Launches:
    """Wrappers of the few functions with which Python starts programs."""

    def __init__(
        self, journal: str, callers: Callers, phase: Callable[[], str], given: set[str]
    ) -> None:
        """`given`: names of the variables that the process set itself, which are not asked of anyone else."""
        self._journal, self._callers, self._phase, self._given = journal, callers, phase, given

    def install(self) -> None:
        """Replace them, and set what is inherited past them."""
        if os.name != "posix":
            return
        self.refresh()
        import _posixsubprocess

        system: Any = os
        wrapped = self._wrapped_fork_exec(_posixsubprocess.fork_exec)
        subprocess: Any = sys.modules.get("subprocess")
        _posixsubprocess.fork_exec = wrapped
        if hasattr(subprocess, "_fork_exec"):
            subprocess._fork_exec = wrapped
        for function in ("execve", "posix_spawn", "posix_spawnp"):
            original = getattr(system, function, None)
            if original is not None:
                replacement = self._wrapped_third(original)
                setattr(system, function, replacement)
                if original in system.supports_fd:
                    system.supports_fd.add(replacement)

    def refresh(self) -> None:
        """Set what is inherited where C code starts a program, as `os.system` does; not often: threads may read."""
        if os.name == "posix":
            for name, value in self._added({}, _own_environment(), None).items():
                os.putenv(name, value)

    def _wrapped_fork_exec(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def fork_exec(*arguments: Any) -> Any:
            if len(arguments) > ENVIRONMENT_ARGUMENT:
                given = list(arguments)
                pairs = given[ENVIRONMENT_ARGUMENT]
                if pairs is None:
                    environment = _own_environment()
                else:
                    environment = _parsed(pairs)
                added = self._added(environment, environment, sys._getframe(1))
                given[ENVIRONMENT_ARGUMENT] = [b"=".join(each) for each in added.items()]
                return original(*given)
            return original(*arguments)

        return fork_exec

    def _wrapped_third(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function whose third parameter is the environment, `env`."""

        def launch(path: Any, argv: Any, *rest: Any, **keywords: Any) -> Any:
            env, others = (rest[0], rest[1:]) if rest else (keywords.pop("env", None), ())
            inherits = env is None and sys.version_info >= (3, 13) and original.__name__ != "execve"
            if env is os.environ or inherits:
                env = _own_environment()
            if isinstance(env, dict) or hasattr(env, "keys"):
                environment = {os.fsencode(name): os.fsencode(env[name]) for name in env}
                env = self._added(environment, environment, sys._getframe(1))
            return original(path, argv, env, *others, **keywords)

        launch.__name__ = original.__name__
        return launch

    def _added(self, base: Pairs, environment: Pairs, frame: Any) -> Pairs:
        """Give `base` with the two variables for a program that gets `environment`."""
        path = environment.get(b"PYTHONPATH")
        first = os.fsencode(FOLDER)
        if frame is None:
            by = None
        else:
            by = as_reader(self._callers.behind(frame))
        told = {
            "journal": self._journal,
            "prefix": sys.prefix,
            "phase": self._phase(),
            "by": by,
            "given": sorted(self._given | _differing(environment)),
        }
        if path:
            joined = os.pathsep.encode().join((first, path))
        else:
            joined = first
        return {**base, b"PYTHONPATH": joined, NAME: json.dumps(told).encode("ascii")}


def _own_environment() -> Pairs:
    data: Any = os.environ
    return dict(data._data)


def _parsed(pairs: List[bytes]) -> Pairs:
    parts: List[Tuple[bytes, bytes, bytes]] = [pair.partition(b"=") for pair in pairs]
    return {name: value for name, _, value in parts}


def _differing(environment: Pairs) -> set[str]:
    """Names of the variables that a program is given otherwise than this process has them."""
    data: Any = os.environ
    own = data._data
    return {os.fsdecode(name) for name, value in environment.items() if own.get(name) != value}
