"""Recording through the interpreter's audit events: pickles, files, libraries, processes. See also `outward`."""

from __future__ import annotations

import os
import sys
from types import FrameType, ModuleType
from typing import AbstractSet, Any, Callable, Dict, Iterator

from .callers import Caller, Callers, Launcher, as_importer, as_reader
from .origins import Origins
from .outside_effects import Outward, is_for_writing

CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth")
INSPECTOR = "threadpoolctl"  # opens again what others have loaded
SHELL = "/bin/sh"
SHELLS = ("sh", "bash", "dash", "zsh")
NOT_FILES = ("/dev/", "/proc/", "/sys/")
Tell = Callable[..., None]
Arguments = Any


class Audit:
    """One audit hook that looks its events up in a table; all others cost one failed look-up."""

    def __init__(
        self, tell: Tell, origins: Origins, callers: Callers, own_file: str, told: AbstractSet[str]
    ) -> None:
        """`told`: files of modules that are told of when they are found, before they run."""
        self._tell, self._origins, self._callers, self._own_file = tell, origins, callers, own_file
        self._told, self._runs = told, ""
        self._seen: set[Any] = set()
        self._handlers: Dict[str, Callable[[Arguments], None]] = {}
        self._outward = Outward(tell, callers, own_file)

    def install(self) -> None:
        """Add the hook, which cannot be removed again (PEP 578)."""
        self._handlers.update(
            {
                "pickle.find_class": self._pickle,
                "open": self._open,
                "ctypes.dlopen": self._library,
                "subprocess.Popen": lambda arguments: self._process(*arguments[:4]),
                "os.exec": lambda arguments: self._process(*arguments[:2]),
                "os.spawn": lambda arguments: self._process(*arguments[1:3]),
                "os.posix_spawn": lambda arguments: self._process(*arguments[:2]),
                "os.system": lambda arguments: self._process(SHELL, (SHELL, "-c", arguments[0])),
                **self._outward.handlers(),
                "exec": self._exec,
                "cpython.run_file": self._run_file,
                "cpython.run_module": self._run_module,
            }
        )
        find = self._handlers.get

        def hook(event: str, arguments: Arguments) -> None:
            handle = find(event)
            if handle is not None:
                handle(arguments)

        sys.addaudithook(hook)

    def _once(self, event: str, **facts: Any) -> None:
        key = (event, *facts.values())
        if key not in self._seen:
            self._seen.add(key)
            self._tell(event=event, **facts)

    def _pickle(self, arguments: Arguments) -> None:
        self._once("pickle", module=str(arguments[0]))

    def _open(self, arguments: Arguments) -> None:
        path, mode, flags = arguments
        if is_for_writing(mode, flags):
            self._outward.write(path)
        if isinstance(path, int) or path is None or (type(path) is str and path in self._seen):
            return
        if not _is_for_reading(mode, flags):
            return
        text = os.fsdecode(path)
        if text.endswith(CODE) or text.startswith(NOT_FILES):
            return
        if os.path.isabs(text):
            self._seen.add(text)
        absolute = os.path.abspath(text)
        if absolute == self._own_file or self._origins.is_standard_file(absolute):
            return
        if os.path.isfile(absolute) and ("file", absolute) not in self._seen:
            self._seen.add(("file", absolute))
            self._tell(
                event="file", path=absolute, **as_reader(self._callers.behind(sys._getframe(1)))
            )

    def _library(self, arguments: Arguments) -> None:
        if isinstance(arguments[0], (str, bytes)) and arguments[0]:
            caller = self._callers.behind(sys._getframe(1))
            if caller is None or caller.name.partition(".")[0] != INSPECTOR:
                self._once_by("library", caller, path=os.fsdecode(arguments[0]))

    def _process(
        self, program: Any, argv: Any, directory: Any = None, environment: Any = None
    ) -> None:
        if isinstance(argv, (str, bytes)) or hasattr(argv, "__fspath__"):
            argv = (argv,)
        words = tuple(_text(each) for each in argv or ())
        found = _program(_text(program or words[0]), directory, environment)
        caller = self._callers.behind(sys._getframe(1))
        self._once_by("process", caller, argv=words, program=found)
        if len(words) > 2 and os.path.basename(words[0]) in SHELLS and words[1] == "-c":
            for word in _commands(words[2]):
                found = _program(word, directory, environment)
                if found is not None:
                    self._once_by("process", caller, argv=(word,), program=found)

    def _run_file(self, arguments: Arguments) -> None:
        path = os.path.abspath(_text(arguments[0]))
        self._once_by("program", self._callers.behind(sys._getframe(1)), path=path)

    def _run_module(self, arguments: Arguments) -> None:
        """Wait for the code of `python -m`, which `runpy` executes without importing it."""
        self._runs = str(arguments[0])

    def _exec(self, arguments: Arguments) -> None:
        """Tell of a file's code that is executed without having been found by an import."""
        code = arguments[0]
        if getattr(code, "co_name", "") != "<module>" or code.co_filename in self._told:
            return
        frame = sys._getframe(1).f_back  # of `exec`'s caller; there is none for `python -c`
        if frame is None:
            return
        file = os.path.abspath(code.co_filename)
        if (
            self._runs
            and frame.f_globals.get("__name__") == "runpy"
            and not self._origins.is_standard_file(file)
        ):
            name, self._runs = self._runs, ""
            self._tell(
                event="module", module=name, file=file, **as_importer(self._callers.behind(None))
            )
        elif ("exec", file) not in self._seen:
            self._seen.add(("exec", file))
            if (
                file.endswith(".py")
                and not self._origins.is_standard_file(file)
                and os.path.isfile(file)
            ):
                caller = self._callers.behind(frame)
                self._tell(
                    event="module",
                    module=_module_name(frame, file),
                    file=file,
                    **as_importer(caller),
                )

    def _once_by(self, event: str, caller: Caller | Launcher | None, **facts: Any) -> None:
        key = (event, *facts.values())
        if key not in self._seen:
            self._seen.add(key)
            self._tell(event=event, **facts, **as_reader(caller))


def _commands(script: str) -> Iterator[str]:
    """Yield the first word of each command in a line of shell, as far as that can be told without a shell."""
    import shlex  # only for models that use one

    words = shlex.shlex(script, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    first = True
    try:
        for word in words:
            if not word.strip("();<>|&"):
                first = not word.strip("(;|&")
            elif first and "=" not in word:
                yield word
                first = False
    except ValueError:  # a quotation that does not end
        return


def _module_name(frame: FrameType, file: str) -> str:
    """The name of the module that a loader executes in `frame`, by the import system; else that of the file."""
    loading = frame.f_back
    if loading is not None:
        module = loading.f_locals.get("module")
    else:
        module = None
    if type(module) is ModuleType:
        name = getattr(module, "__name__", None)
    else:
        name = None
    if isinstance(name, str):
        return name
    return os.path.splitext(os.path.basename(file))[0]


def _is_for_reading(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "r" in mode or "+" in mode
    if not isinstance(flags, int):
        return True
    return not flags & os.O_WRONLY and not flags & getattr(os, "O_DIRECTORY", 0)


def _program(name: str, directory: Any, environment: Any) -> str | None:
    """Find the program that is started, as the system does; None when there is none."""
    if os.sep in name:
        path = os.path.abspath(os.path.join(_text(directory or ""), name))
        if os.path.isfile(path):
            return path
        return None
    data: Any = os.environ
    path = os.fsdecode(data._data.get(b"PATH", b""))
    if type(environment) is dict:
        path = _text(environment.get("PATH", path))
    candidates = (os.path.join(folder, name) for folder in path.split(os.pathsep) if folder)
    return next(
        (each for each in candidates if os.access(each, os.X_OK) and os.path.isfile(each)), None
    )


def _text(value: Any) -> str:
    try:
        return os.fsdecode(value)
    except TypeError:
        return str(value)
