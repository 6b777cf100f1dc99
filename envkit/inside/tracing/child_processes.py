"""Recording goes on in the Python programs that the traced process starts.

The environment that they inherit gets two variables: `PYTHONPATH` with the folder `children`
first, whose `sitecustomize` starts to record, and `_ENVKIT_TRACE` with the JSON object that
`_launch` makes. The traced process itself never sees either: variables that are inherited are set
below `os.environ`, in the C library, and those that the model passes on (`Popen(env=…)`) in the
call.
"""

from __future__ import annotations

import json
import os
import sys
from types import FrameType
from typing import Any, Callable, Dict, Iterable

from .callers import Callers, as_reader

VARIABLE = b"_ENVKIT_TRACE"
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.fsencode(os.path.join(HERE, "children"))
ENVIRONMENT_ARGUMENT = 5  # of `_posixsubprocess.fork_exec`, Python 3.8 to 3.14
SEPARATOR = os.pathsep.encode()

Environment = Dict[bytes, bytes]


class ChildProcesses:
    """Wrappers of the few functions with which Python starts programs."""

    def __init__(
        self,
        journal: str,
        callers: Callers,
        phase: Callable[[], str],
        own_variables: set[str],
    ) -> None:
        """`own_variables`: names of those that the process set itself: not from the user."""
        self._journal = journal
        self._callers = callers
        self._phase = phase
        self._own_variables = own_variables

    def install(self) -> None:
        """Replace the functions, and set the variables that are inherited without them."""
        if os.name != "posix":
            return
        self.refresh()
        self._wrap_fork_exec()
        system: Any = os
        for name in ("execve", "posix_spawn", "posix_spawnp"):
            original = getattr(system, name, None)
            if original is not None:
                wrapper = self._wrapped_launch(original)
                setattr(system, name, wrapper)
                if original in system.supports_fd:
                    system.supports_fd.add(wrapper)

    def refresh(self) -> None:
        """Set what programs inherit that C code starts, as `os.system` does.

        Rarely, as threads may read it.
        """
        if os.name != "posix":
            return
        environment = _own_environment()
        for name, value in self._variables(environment, None).items():
            os.putenv(name, value)

    def _wrap_fork_exec(self) -> None:
        """Wrap the function by which `subprocess` starts programs."""
        import _posixsubprocess  # exists on POSIX only

        subprocess: Any = sys.modules.get("subprocess")
        wrapper = self._wrapped_fork_exec(_posixsubprocess.fork_exec)
        _posixsubprocess.fork_exec = wrapper
        if hasattr(subprocess, "_fork_exec"):  # its own reference, since Python 3.9
            subprocess._fork_exec = wrapper

    def _wrapped_fork_exec(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the function, whose environment is a list of `NAME=value` or None."""

        def fork_exec(*arguments: Any) -> Any:
            if len(arguments) <= ENVIRONMENT_ARGUMENT:
                return original(*arguments)
            changed = list(arguments)
            pairs = changed[ENVIRONMENT_ARGUMENT]
            environment = _own_environment() if pairs is None else _parsed(pairs)
            environment.update(self._variables(environment, sys._getframe(1)))
            changed[ENVIRONMENT_ARGUMENT] = [b"=".join(pair) for pair in environment.items()]
            return original(*changed)

        return fork_exec

    def _wrapped_launch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function whose third parameter is the environment, `env`."""
        name = original.__name__

        def launch(
            path: Any,
            argv: Any,
            *rest: Any,
            **keywords: Any,
        ) -> Any:
            if rest:
                env, others = rest[0], rest[1:]
            else:
                env, others = keywords.pop("env", None), ()
            inherits = env is None and sys.version_info >= (3, 13) and name != "execve"
            if env is os.environ or inherits:
                env = _own_environment()
            if isinstance(env, dict) or hasattr(env, "keys"):
                environment = {os.fsencode(key): os.fsencode(env[key]) for key in env}
                environment.update(self._variables(environment, sys._getframe(1)))
                env = environment
            return original(path, argv, env, *others, **keywords)

        launch.__name__ = name
        return launch

    def _variables(self, environment: Environment, frame: FrameType | None) -> Environment:
        """Give the two variables for a program that gets `environment` and that `frame` starts."""
        path = FOLDER
        inherited = environment.get(b"PYTHONPATH")
        if inherited:
            path = SEPARATOR.join((FOLDER, inherited))
        launch = self._launch(environment, frame)
        return {
            b"PYTHONPATH": path,
            VARIABLE: json.dumps(launch).encode("ascii"),
        }

    def _launch(self, environment: Environment, frame: FrameType | None) -> dict[str, Any]:
        """Tell the program where to record.

        prefix: of the only environment in which it records. phase: of the traced process. by: who
        starts it, or null. own_variables: names of those that are not from the user.
        """
        by = None
        if frame is not None:
            by = as_reader(self._callers.find(frame))
        return {
            "journal": self._journal,
            "prefix": sys.prefix,
            "phase": self._phase(),
            "by": by,
            "own_variables": sorted(self._own_variables | _changed(environment)),
        }


def _own_environment() -> Environment:
    """Copy the environment without recording that."""
    environ: Any = os.environ
    return dict(environ._data)


def _parsed(pairs: Iterable[bytes]) -> Environment:
    """Read an environment in the form of the C library, `NAME=value`."""
    environment = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        environment[name] = value
    return environment


def _changed(environment: Environment) -> set[str]:
    """Name the variables that have another value in `environment` than in this process."""
    environ: Any = os.environ
    own = environ._data
    return {os.fsdecode(name) for name, value in environment.items() if own.get(name) != value}
