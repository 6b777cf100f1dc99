"""The trace: what one load and one prediction of a model used, as values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar

from envkit.interpreters.facts import InterpreterFacts

# the package name under which `envkit/inside` runs; what it imports, it imports for the model
RUNNER = "_envkit"


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeLocation:
    """A line of code.

    Attributes:
        module: The dotted name of its module, empty if it has none.
        file: The path, None for code without a file.
        line: The number, from 1.
    """

    module: str = ""
    file: str | None = None
    line: int = 0

    @property
    def is_runner(self) -> bool:
        """Whether it is the runner's code."""
        return self.module.partition(".")[0] == RUNNER


NOWHERE = CodeLocation()


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """Something was used in a phase (`load`, `predict`, …), by a line of code."""

    phase: str
    by: CodeLocation = NOWHERE


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleImport(Use):
    """A module was imported.

    Attributes:
        module: The dotted name.
        importing: If the importer was itself still being imported, the lines of code that imported
            it, as (file, line), innermost first. Empty if the importer was called later.
    """

    module: str
    importing: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PickledModule(Use):
    """A pickle of the model has an object of the module."""

    module: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileUse(Use):
    """A file was used other than by importing it. KIND: the key of its path in `envkit.json`."""

    KIND: ClassVar[str] = "file"

    path: str


class DataFileRead(FileUse):
    """A data file was opened."""

    __slots__ = ()
    KIND = "data_file"


class ProgramRun(FileUse):
    """A program other than the interpreter was started."""

    __slots__ = ()
    KIND = "program"


class LibraryLoad(FileUse):
    """A native library was loaded with `ctypes`."""

    __slots__ = ()
    KIND = "library"


class MetadataLookup(FileUse):
    """The metadata of a distribution were looked up by its name."""

    __slots__ = ()
    KIND = "metadata"


class BuiltinUse(FileUse):
    """A name was used that the file, run by a `.pth` file, puts into `builtins`."""

    __slots__ = ()
    KIND = "builtin"


ModuleUse = ModuleImport | PickledModule


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A program that was started. path: None if no such program exists."""

    argv: tuple[str, ...]
    path: str | None

    def runs(self, interpreter: str) -> bool:
        """Whether the program is that interpreter."""
        return self.path is not None and is_same_program(self.path, interpreter)


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableRead:
    """An environment variable was read. The trace never has its value.

    Attributes:
        name: The name.
        is_set: Whether it was set.
        needed: Whether the code that reads it raises if the variable is unset.
        phase: What the model was doing.
        by: The code that reads it.
    """

    name: str
    is_set: bool
    needed: bool
    phase: str
    by: CodeLocation = NOWHERE


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The evidence of one load and one prediction.

    Attributes:
        interpreter: The Python that ran the model.
        files: The file of each module that was seen, None for one without.
        module_uses: Uses of modules.
        file_uses: Uses of other files.
        variables: Environment variables that were read.
        loaded: Paths of native libraries that were loaded at the end, with extension modules.
        processes: Programs that were started.
        connections: Addresses, reached or not.
        prediction: The answer to the example as JSON values, if `skipped` is None.
        skipped: Why no prediction was made.
        written: Paths that were created or changed, except temporary files.
        sandbox: What confined the model, `bubblewrap` or `limits`.
        builtins: Names that something put into `builtins` when the interpreter started, each with
            the file that did.
        unstreamed: Why no prediction was made piece by piece, although the model can.
    """

    interpreter: InterpreterFacts
    files: Mapping[str, str | None] = field(default_factory=dict)
    module_uses: tuple[ModuleUse, ...] = ()
    file_uses: tuple[FileUse, ...] = ()
    variables: tuple[VariableRead, ...] = ()
    loaded: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    connections: tuple[str, ...] = ()
    prediction: Any = None
    skipped: str | None = None
    written: tuple[str, ...] = ()
    sandbox: str | None = None
    builtins: Mapping[str, str | None] = field(default_factory=dict)
    unstreamed: str | None = None

    @property
    def uses(self) -> tuple[Use, ...]:
        """All uses of modules and files."""
        return (*self.module_uses, *self.file_uses)

    def with_uses(
        self, uses: Iterable[Use], files: Mapping[str, str | None] | None = None
    ) -> Trace:
        """Return the trace with more uses. files: of modules that it does not have yet."""
        added = tuple(uses)
        modules = (use for use in added if isinstance(use, ModuleImport | PickledModule))
        others = (use for use in added if isinstance(use, FileUse))
        return replace(
            self,
            module_uses=(*self.module_uses, *modules),
            file_uses=(*self.file_uses, *others),
            files={**(files or {}), **self.files},
        )


@cache
def is_same_program(program: str, interpreter: str) -> bool:
    """Whether two paths lead to one file, as those of `python3` and `python` in an environment."""
    return os.path.realpath(program) == os.path.realpath(interpreter)
