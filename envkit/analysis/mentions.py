"""What reading a model's files finds: modules that they mention, versions that they record, what stayed unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A file of the model names a module.

    file: relative to the model directory. line: 0 where there are no lines. alternatives: names of
    which the first that is a module is meant, `from a import b` may mean `a.b` or `a`. guarded: the
    code is ready to do without it. instead_of: modules in whose absence alone it is imported.
    by_code: by code of the model's own, not as the class of something pickled.
    """

    alternatives: tuple[str, ...]
    file: str
    line: int = 0
    guarded: bool = False
    instead_of: tuple[str, ...] = ()
    by_code: bool = True

    @property
    def module(self) -> str:
        """The name as it is said to people."""
        return self.alternatives[-1]

    @property
    def where(self) -> str:
        """The file, with its line where there is one."""
        if self.line:
            return f"{self.file}:{self.line}"
        return self.file


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """Code of the model reads an environment variable. needed: it would raise without."""

    name: str
    file: str
    line: int
    needed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Code asks for the entry points of a group. named: for the one of that name, None for any."""

    name: str
    file: str
    line: int
    named: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A file of the model, or a part of it, that could not be read. problem: to follow the file's name and a colon."""

    file: str
    problem: str


@dataclass(kw_only=True, slots=True)
class Survey:
    """What was found so far.

    versions: those that the model records, by the name of a distribution. globals: module and name
    of what unpickling would fetch, by artifact. texts: the literals in the code, each of which may
    name an entry point of one of `groups`. pythons: the oldest and the newest minor version of
    Python 3 that may have written it, as each function in an artifact tells. unreached: files of
    the model's code to which no import was seen to lead, where these were read too.
    """

    mentions: list[Mention] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    globals: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    pythons: list[tuple[int, int]] = field(default_factory=list)
    python: str | None = None
    unreached: set[str] = field(default_factory=set)

    def add_modules(self, modules: Mapping[str, bool], file: str) -> None:
        """Add modules that an artifact names; the value tells whether code in it does."""
        self.mentions += [
            Mention(alternatives=(name,), file=file, by_code=by) for name, by in modules.items()
        ]
