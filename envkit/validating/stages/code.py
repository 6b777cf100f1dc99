"""What the code and artifacts of a model import, read without running any of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from envkit.analysis import survey as surveys
from envkit.analysis.artifacts import Budget
from envkit.analysis.mentions import Gap, Mention, Survey, UnreadReason
from envkit.analysis.module_finder import STANDARD, Modules
from envkit.errors import InvalidFile, PathOutsideModel
from envkit.interpreters.facts import InterpreterFacts
from envkit.models.supplied_by_runner import is_supplied
from envkit.validating.files import not_fetched
from envkit.validating.files.facts import ModelFacts
from envkit.validating.stages import import_names, scanners
from envkit.validating.stages.scanners import Alarm

# about a second
BUDGET = Budget(unpacked=128_000_000, opcodes=300_000, entries=20_000)
# Modules that left the standard library, and in which Python 3: PEP 594, PEP 632.
REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), 12),
    **dict.fromkeys(
        (
            "aifc",
            "audioop",
            "cgi",
            "cgitb",
            "chunk",
            "crypt",
            "imghdr",
            "lib2to3",
            "mailcap",
            "msilib",
            "nis",
            "nntplib",
            "ossaudiodev",
            "pipes",
            "sndhdr",
            "spwd",
            "sunau",
            "telnetlib",
            "uu",
            "xdrlib",
        ),
        13,
    ),
}
CODE_SUFFIXES = frozenset({".py", ".pyc", ".so", ".pyd"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalImport:
    """An import of a module that is neither the model's own nor the standard library's.

    providers: normalized names of the distributions that have the module, any of which will do.
    certain: whether that is known, not guessed from the module's name.
    """

    mention: Mention
    providers: frozenset[str]
    certain: bool


@dataclass(frozen=True, kw_only=True)
class ModelCode:
    """What was read. is_read: whether `MLmodel` let the code be read at all.

    code: the folder with the model's own modules.
    captured_modules: the distributions of the modules that the capture saw.
    alarms: what the deeper scanners reported.
    """

    is_read: bool = False
    survey: Survey = field(default_factory=Survey)
    modules: Modules | None = None
    code: Path | None = None
    python: str | None = None
    captured_modules: Mapping[str, frozenset[str]] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()

    @cached_property
    def external_imports(self) -> tuple[ExternalImport, ...]:
        """The imports of what must be installed, also those that the code can do without."""
        return tuple(
            self._external_import(mention)
            for mention in self.survey.mentions
            if not any(map(self._is_at_hand, mention.alternatives))
        )

    @cached_property
    def own_modules(self) -> Mapping[str, str]:
        """The top-level modules of the model's code folder, with their files."""
        if self.code is None or not self.code.is_dir():
            return {}
        return dict(_top_level_modules(self.code))

    def providers(self, module: str) -> tuple[frozenset[str], bool]:
        """The distributions that have a module, and whether that is known, not guessed."""
        for name in import_names.with_parents(module):
            if names := self.captured_modules.get(name):
                return names, True
        return import_names.providers(module)

    def modules_of(self, distribution: str) -> frozenset[str]:
        """The top-level modules that a distribution is known, or else likely, to have."""
        captured = self._captured_top_levels.get(distribution, frozenset())
        return captured | import_names.modules_of(distribution)

    def is_standard(self, module: str) -> bool:
        """Whether a module is in the standard library of the model's Python."""
        top = module.partition(".")[0]
        if top not in REMOVED:
            return top in sys.stdlib_module_names
        _, _, rest = (self.python or "").partition(".")
        minor, _, _ = rest.partition(".")
        return not minor.isdecimal() or int(minor) < REMOVED[top]

    @cached_property
    def _captured_top_levels(self) -> Mapping[str, frozenset[str]]:
        top_levels = {
            name: names for name, names in self.captured_modules.items() if "." not in name
        }
        return import_names.inverted(top_levels)

    def _is_at_hand(self, module: str) -> bool:
        return self.is_standard(module) or self._is_own(module) or is_supplied(module)

    def _is_own(self, module: str) -> bool:
        if self.modules is None:
            return False
        file = self.modules.find(module.partition(".")[0])
        return file is not None and file != STANDARD

    def _external_import(self, mention: Mention) -> ExternalImport:
        names, certain = self.providers(mention.alternatives[0])
        return ExternalImport(mention=mention, providers=names, certain=certain)


def read(facts: ModelFacts, scanner_names: tuple[str, ...] = ()) -> ModelCode:
    """Read the code and artifacts of a model. scanner_names: deeper scanners of pickles to run."""
    unread = ModelCode(
        python=facts.python,
        captured_modules=_captured_modules(facts),
        alarms=tuple(_alarms(facts, scanner_names)),
    )
    try:
        model = facts.usable_directory()
        code = model.code_path
        modules = Modules(_nothing_installed(facts.python), [code] if code else [])
        survey = surveys.of_everything(model, modules, facts.python or "", BUDGET, all_code=True)
    # reported by the rules on MLmodel
    except (InvalidFile, PathOutsideModel):
        return unread
    if facts.not_fetched:
        problem = not_fetched.description(facts.not_fetched)
        gap = Gap(file=".", reason=UnreadReason.NOT_FETCHED, problem=problem)
        survey = Survey.joined([survey, Survey(gaps=(gap,))])
    return replace(unread, is_read=True, survey=survey, modules=modules, code=code)


def _alarms(facts: ModelFacts, scanner_names: tuple[str, ...]) -> Iterator[Alarm]:
    place = facts.path
    if facts.bare is not None and facts.bare.artifact is not None:
        place = facts.path / facts.bare.artifact
    for scan in scanners.named(scanner_names):
        yield from scan(place)


def _captured_modules(facts: ModelFacts) -> Mapping[str, frozenset[str]]:
    """The distributions of the modules that the capture saw, and of the packages around them.

    What two distributions share, such as a namespace, says nothing about a third.
    """
    modules: dict[str, set[str]] = {}
    for distribution in facts.captured_distributions:
        for module in distribution.modules:
            for name in (module, module.partition(".")[0]):
                modules.setdefault(name, set()).add(distribution.name)
    return {module: frozenset(names) for module, names in modules.items()}


def _nothing_installed(python: str | None) -> InterpreterFacts:
    return InterpreterFacts(version=python or "")


def _top_level_modules(folder: Path) -> Iterator[tuple[str, str]]:
    """A folder without `__init__.py` does not count: installed packages come before it."""
    for entry in sorted(folder.iterdir()):
        if (entry / "__init__.py").is_file():
            yield entry.name, f"{folder.name}/{entry.name}/__init__.py"
        elif entry.is_file() and entry.suffix in CODE_SUFFIXES:
            module, _, _ = entry.name.partition(".")
            yield module, f"{folder.name}/{entry.name}"
