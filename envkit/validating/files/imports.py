"""What the code and artifacts of a model import, read without running any of it, and which distributions have that."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from envkit.analysis import survey as reading
from envkit.analysis.artifacts import Budget
from envkit.analysis.mentions import Mention, Survey
from envkit.analysis.module_finder import STANDARD, Modules
from envkit.errors import InvalidFile, PathOutsideModel
from envkit.interpreters.facts import InterpreterFacts
from envkit.models.directory import ModelDirectory
from envkit.models.supplied_by_runner import is_supplied
from envkit.validating.files import import_names
from envkit.validating.files.evidence import Evidence

BUDGET = Budget(unpacked=128_000_000, opcodes=300_000, entries=20_000)  # about a second
REMOVED = {  # modules that left the standard library, and in which Python: PEP 594, PEP 632
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), 12),
    **dict.fromkeys(
        [
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
        ],
        13,
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """An import of something that is neither the model's own nor the standard library's.

    providers: normalised names of distributions that have the module, any of which will do; sure:
    whether that is known, and not taken from the module's name.
    """

    mention: Mention
    providers: frozenset[str]
    sure: bool


@dataclass(frozen=True, kw_only=True)
class Imports:
    """What was read. survey: None when the model's `MLmodel` does not let it be read."""

    survey: Survey | None
    modules: Modules | None
    code: Path | None
    python: str | None
    evidence: Evidence | None

    @classmethod
    def of(
        cls, model: ModelDirectory | None, python: str | None, evidence: Evidence | None
    ) -> Imports:
        """Read a model's files; `python` is the version that it is for."""
        nothing = cls(survey=None, modules=None, code=None, python=python, evidence=evidence)
        if model is None:
            return nothing
        try:
            code = model.code_path
            modules = Modules(_nothing_installed(python), [] if code is None else [code])
            survey = reading.of_everything(model, modules, python or "", BUDGET, all_code=True)
        except (InvalidFile, PathOutsideModel):  # told by the rules that look at MLmodel
            return nothing
        return replace(nothing, survey=survey, modules=modules, code=code)

    @cached_property
    def used(self) -> tuple[Used, ...]:
        """Each import of something that must be installed, whether or not the code is ready to do without."""
        mentions = self.survey.mentions if self.survey else ()
        return tuple(self._used(each) for each in mentions if not self._is_at_hand(each))

    @cached_property
    def own_modules(self) -> Mapping[str, str]:
        """Top-level modules that the model's code folder brings, with their files."""
        if self.code is None:
            return {}
        return dict(_top_level(self.code))

    def providers(self, module: str) -> tuple[frozenset[str], bool]:
        """The distributions that have a module, and whether that is known and not guessed."""
        parts = module.split(".")
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            if found := self._by_evidence.get(name):
                return found, True
        return import_names.providers(module)

    def modules_of(self, distribution: str) -> frozenset[str]:
        """The top-level modules that a distribution is known, or else likely, to have."""
        return self._tops_by_evidence.get(distribution, frozenset()) | import_names.modules_of(
            distribution
        )

    def is_standard(self, module: str) -> bool:
        """Whether a module is in the standard library of the model's Python."""
        top = module.partition(".")[0]
        removed = REMOVED.get(top)
        if removed is None:
            return top in sys.stdlib_module_names
        minor = (self.python or "").split(".")[1:2]
        return not minor or not minor[0].isdecimal() or int(minor[0]) < removed

    @cached_property
    def _by_evidence(self) -> Mapping[str, frozenset[str]]:
        """Which distributions the modules that were seen belong to, with the packages around them.

        What two distributions share, such as a namespace, says nothing of a third.
        """
        found: dict[str, set[str]] = {}
        for each in self.evidence.distributions if self.evidence else ():
            for module in each.modules:
                found.setdefault(module, set()).add(each.name)
                found.setdefault(module.partition(".")[0], set()).add(each.name)
        return {module: frozenset(names) for module, names in found.items()}

    @cached_property
    def _tops_by_evidence(self) -> Mapping[str, frozenset[str]]:
        """The top-level modules of each distribution that was seen."""
        return import_names.inverted(
            {top: names for top, names in self._by_evidence.items() if "." not in top}
        )

    def _is_at_hand(self, mention: Mention) -> bool:
        names = mention.alternatives
        return any(
            self.is_standard(name) or self._is_own(name) or is_supplied(name) for name in names
        )

    def _is_own(self, module: str) -> bool:
        if self.modules:
            found = self.modules.find(module.partition(".")[0])
        else:
            found = None
        return found is not None and found != STANDARD

    def _used(self, mention: Mention) -> Used:
        names, sure = self.providers(mention.alternatives[0])
        return Used(mention=mention, providers=names, sure=sure)


def _nothing_installed(python: str | None) -> InterpreterFacts:
    return InterpreterFacts(version=python or "")


def _top_level(folder: Path) -> Iterator[tuple[str, str]]:
    """A folder without `__init__.py` is left out: packages that are installed come before it."""
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (entry / "__init__.py").is_file():
            yield entry.name, f"{folder.name}/{entry.name}/__init__.py"
        elif entry.is_file() and entry.suffix in {".py", ".pyc", ".so", ".pyd"}:
            yield entry.name.partition(".")[0], f"{folder.name}/{entry.name}"
