"""Recording through the interpreter's audit events: pickles, files, native libraries, processes.

`outside_effects` has the handlers for what is written and for connections.
"""

from __future__ import annotations

import os
import sys
from types import FrameType, ModuleType
from typing import AbstractSet, Any, Callable, Iterator, Sequence

from .callers import Callers, Record, as_importer
from .origins import Origins, top_level
from .outside_effects import SPECIAL_FOLDERS, OutsideEffects, is_for_writing

CODE_SUFFIXES = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth")
LIBRARY_INSPECTOR = "threadpoolctl"  # opens again what others have loaded
SHELL = "/bin/sh"
SHELLS = ("sh", "bash", "dash", "zsh")

Arguments = Any


class AuditHook:
    """One audit hook that looks up its events in a table; all other events cost one look-up."""

    def __init__(
        self,
        record: Record,
        origins: Origins,
        callers: Callers,
        journal: str,
        imported_files: AbstractSet[str],
    ) -> None:
        """`journal`: its path.

        `imported_files`: of modules that the finder records before they run.
        """
        self._record = record
        self._origins = origins
        self._callers = callers
        self._journal = journal
        self._imported_files = imported_files
        self._main_module = ""  # of `python -m`, until its code runs
        self._seen: set[Any] = set()  # keys of events, and paths that were opened
        self._outside_effects = OutsideEffects(record, callers, journal)

    def install(self) -> None:
        """Add the hook, which cannot be removed again (PEP 578)."""
        handlers = {**self._handlers(), **self._outside_effects.handlers()}
        handler_of = handlers.get

        def hook(event: str, arguments: Arguments) -> None:
            handle = handler_of(event)
            if handle is not None:
                handle(arguments)

        sys.addaudithook(hook)

    def _handlers(self) -> dict[str, Callable[[Arguments], None]]:
        """Give the handlers by the names of their events."""
        return {
            "pickle.find_class": self._pickle,
            "open": self._open,
            "ctypes.dlopen": self._library,
            "subprocess.Popen": lambda arguments: self._process(*arguments[:4]),
            "os.exec": lambda arguments: self._process(*arguments[:2]),
            "os.spawn": lambda arguments: self._process(*arguments[1:3]),
            "os.posix_spawn": lambda arguments: self._process(*arguments[:2]),
            "os.system": self._system,
            "exec": self._exec,
            "cpython.run_file": self._run_file,
            "cpython.run_module": self._run_module,
        }

    def _is_new(self, *key: Any) -> bool:
        """Whether this is the first call with this key."""
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _pickle(self, arguments: Arguments) -> None:
        """Record the module of a class that a pickle names."""
        module = str(arguments[0])
        if self._is_new("pickle", module):
            self._record(event="pickle", module=module)

    def _open(self, arguments: Arguments) -> None:
        """Record a file that is read and is not code."""
        path, mode, flags = arguments
        if is_for_writing(mode, flags):
            self._outside_effects.write(path)
        if isinstance(path, int) or path is None:
            return
        if type(path) is str and path in self._seen:  # first of all: most files are opened often
            return
        if not _is_for_reading(mode, flags):
            return
        text = os.fsdecode(path)
        if text.endswith(CODE_SUFFIXES) or text.startswith(SPECIAL_FOLDERS):
            return
        if os.path.isabs(text):
            self._seen.add(text)
        absolute = os.path.abspath(text)
        if absolute == self._journal or self._origins.is_standard_file(absolute):
            return
        if os.path.isfile(absolute) and self._is_new("file", absolute):
            self._record(
                event="file",
                path=absolute,
                **self._callers.reader(),
            )

    def _library(self, arguments: Arguments) -> None:
        """Record a native library that is loaded by `ctypes`."""
        name = arguments[0]
        if not isinstance(name, (str, bytes)) or not name:
            return
        reader = self._callers.reader()
        if top_level(reader["reader"]) == LIBRARY_INSPECTOR:
            return
        path = os.fsdecode(name)
        if self._is_new("library", path):
            self._record(
                event="library",
                path=path,
                **reader,
            )

    def _process(
        self,
        program: Any,
        argv: Any,
        directory: Any = None,
        environment: Any = None,
    ) -> None:
        """Record a program, and those that a line of shell names."""
        if isinstance(argv, (str, bytes)) or hasattr(argv, "__fspath__"):
            argv = (argv,)
        words = tuple(_text(word) for word in argv or ())
        name = _text(program or words[0])
        reader = self._callers.reader()
        self._record_process(words, _program(name, directory, environment), reader)
        for command in _commands(_script(words)):
            path = _program(command, directory, environment)
            if path is not None:
                self._record_process((command,), path, reader)

    def _system(self, arguments: Arguments) -> None:
        """Record a line of shell."""
        self._process(SHELL, (SHELL, "-c", arguments[0]))

    def _record_process(self, argv: Any, program: str | None, reader: dict[str, Any]) -> None:
        """Record one program, once for each command line."""
        if self._is_new("process", argv, program):
            self._record(
                event="process",
                argv=argv,
                program=program,
                **reader,
            )

    def _run_file(self, arguments: Arguments) -> None:
        """Record the script that an interpreter is started with."""
        path = os.path.abspath(_text(arguments[0]))
        if self._is_new("program", path):
            self._record(
                event="program",
                path=path,
                **self._callers.reader(),
            )

    def _run_module(self, arguments: Arguments) -> None:
        """Wait for the code of `python -m`, which `runpy` executes without importing it."""
        self._main_module = str(arguments[0])

    def _exec(self, arguments: Arguments) -> None:
        """Record the code of a file that is executed and that no import has found."""
        code = arguments[0]
        is_module = getattr(code, "co_name", "") == "<module>"
        if not is_module or code.co_filename in self._imported_files:
            return
        frame = sys._getframe(1).f_back  # of whoever calls `exec`; `python -c` has none
        if frame is None:
            return
        file = os.path.abspath(code.co_filename)
        if self._is_main_module(file, frame):
            name, self._main_module = self._main_module, ""
            importer = as_importer(self._callers.find(None))
            self._record(
                event="module",
                module=name,
                file=file,
                **importer,
            )
        elif self._is_new("exec", file) and self._is_source_of_model(file):
            name = _module_name(frame, file)
            importer = as_importer(self._callers.find(frame))
            self._record(
                event="module",
                module=name,
                file=file,
                **importer,
            )

    def _is_main_module(self, file: str, frame: FrameType) -> bool:
        """Whether code is that of the module of `python -m`."""
        if not self._main_module or frame.f_globals.get("__name__") != "runpy":
            return False
        return not self._origins.is_standard_file(file)

    def _is_source_of_model(self, file: str) -> bool:
        """Whether a file is Python source outside the standard library."""
        if not file.endswith(".py") or self._origins.is_standard_file(file):
            return False
        return os.path.isfile(file)


def _script(words: Sequence[str]) -> str:
    """Give the line of shell that a command line runs.

    Empty when it does not start a shell with one.
    """
    is_shell = len(words) > 2 and os.path.basename(words[0]) in SHELLS
    if is_shell and words[1] == "-c":
        return words[2]
    return ""


def _commands(script: str) -> Iterator[str]:
    """Yield the first word of each command in a line of shell, as far as plain words go."""
    if not script:
        return
    import shlex  # only for models that start a shell

    words = shlex.shlex(script, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    is_first = True
    try:
        for word in words:
            if not word.strip("();<>|&"):
                # an operator: after a redirection comes a file, after all others a command
                is_first = not word.strip("(;|&")
            elif is_first and "=" not in word:  # not an assignment, `NAME=value command`
                yield word
                is_first = False
    except ValueError:  # a quotation that does not end
        return


def _module_name(frame: FrameType, file: str) -> str:
    """Name the module that a loader executes in `frame`, as the import system does.

    Else after its file.
    """
    loading = frame.f_back
    if loading is not None:
        module = loading.f_locals.get("module")
        if type(module) is ModuleType:
            name = getattr(module, "__name__", None)
            if isinstance(name, str):
                return name
    stem, _ = os.path.splitext(os.path.basename(file))
    return stem


def _is_for_reading(mode: Any, flags: Any) -> bool:
    """Whether a file is opened for reading; a folder is not."""
    if isinstance(mode, str):
        return "r" in mode or "+" in mode
    if not isinstance(flags, int):
        return True
    return not flags & os.O_WRONLY and not flags & getattr(os, "O_DIRECTORY", 0)


def _program(name: str, directory: Any, environment: Any) -> str | None:
    """Find the program that is started, as the system does; None when it does not exist."""
    if os.sep in name:
        path = os.path.abspath(os.path.join(_text(directory or ""), name))
        if os.path.isfile(path):
            return path
        return None
    if type(environment) is dict and "PATH" in environment:
        folders = _text(environment["PATH"])
    else:
        environ: Any = os.environ  # read below the recording of variables
        folders = os.fsdecode(environ._data.get(b"PATH", b""))
    for folder in folders.split(os.pathsep):
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def _text(value: Any) -> str:
    """Convert a path or a word of a command, whatever its type."""
    try:
        return os.fsdecode(value)
    except TypeError:
        return str(value)
