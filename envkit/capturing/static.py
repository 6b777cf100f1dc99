"""From what the files of a model mention to what it needs: beside a trace, or in place of one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envkit.analysis import plugins, source_imports
from envkit.analysis import survey as reading
from envkit.analysis.flavors import distribution_named
from envkit.analysis.mentions import Mention, Survey, Variable
from envkit.analysis.module_finder import STANDARD, Modules
from envkit.analysis.python_versions import python_of
from envkit.capturing import native
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection
from envkit.capturing.trace import Import, Trace, VariableRead
from envkit.formats.requirement import Requirement
from envkit.installed.distributions import Distribution, InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.locking.lock import Unlocked
from envkit.models.capture_warnings import CaptureWarning, WarningKind
from envkit.models.directory import ModelDirectory

PHASE = "static"
LZ4 = "lz4"
NOTHING_RUN = "nothing of the model was run"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A mention whose module is there; `owner` is None when no distribution has it."""

    mention: Mention
    module: str
    file: str
    owner: Distribution | None

    @property
    def name(self) -> str:
        """The name of the distribution."""
        if self.owner is not None:
            return self.owner.name
        return distribution_named(self.module)


@dataclass(frozen=True, kw_only=True, slots=True)
class Static:
    """What reading the model's files found.

    method: `trace` when it was also run, else `static`. found: what is installed and was not
    required already. unreached: those of it that nothing else brings. missing: modules that are not
    installed, each with the line that is required in its place where nothing was run. included:
    whether `found` is required.
    """

    method: str
    survey: Survey
    python: str | None = None
    found: tuple[_Found, ...] = ()
    unreached: tuple[_Found, ...] = ()
    missing: tuple[tuple[str, Mention], ...] = ()
    conflicts: tuple[tuple[Distribution, str], ...] = ()
    included: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """Requirements that no installed distribution stands for."""
        if self.method == PHASE:
            return tuple(sorted({line for line, _ in self.missing}))
        return ()

    @property
    def unlocked(self) -> Unlocked | None:
        """Why no lock can be made, if so: what is not installed here has no known closure."""
        names = ", ".join(self.lines)
        reason = f"what is not installed in this interpreter cannot be locked ({names})"
        if self.lines:
            return Unlocked(reasons=(reason,))
        return None

    def with_lines(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """The pins of installed distributions with the lines for those that are not, sorted by name."""
        named = [Requirement(text=line) for line in self.lines]
        if named:
            return tuple(sorted((*pins, *named), key=_name_in))
        return tuple(pins)

    def add_to(self, trace: Trace, model: ModelDirectory) -> Trace:
        """The trace as it would be had it seen these imports too."""
        imports = tuple(_import(each, model) for each in self.found)
        files = {each.module: each.file for each in self.found}
        variables = tuple(_read_of(each, model) for each in self.survey.variables)
        return replace(
            trace,
            imports=(*trace.imports, *imports),
            files={**files, **trace.files},
            variables=(*trace.variables, *variables),
        )

    def added_to(self, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """The evidence of a capture, with what reading found."""
        lines = dict(reversed(self.missing)) if self.lines else {}
        named = [_not_installed(line, lines[line]) for line in sorted(lines)]
        return {
            **evidence,
            **self._evidence(),
            "distributions": [*evidence["distributions"], *named],
        }

    def _evidence(self) -> dict[str, Any]:
        found = {
            "included": self.included,
            "unreached": [
                {**_where(each.mention), "module": each.module, "distribution": each.name}
                for each in self.unreached
            ],
            "missing": [
                {
                    **_where(mention),
                    "module": mention.module,
                    **({"requirement": line} if self.lines else {}),
                }
                for line, mention in self.missing
            ],
            "unread": [{"file": gap.file, "problem": gap.problem} for gap in self.survey.gaps],
        }
        return {"method": self.method, "static": found}

    def warnings(self) -> Iterator[CaptureWarning]:
        """What could not be known."""
        for each in self.unreached if not self.included else ():
            detail = (
                f"code that the example did not reach imports {each.module} ({each.mention.where}): "
                f"{each.name} is not required (`--include-static` does)"
            )
            yield CaptureWarning(kind=WarningKind.NOT_REACHED, subject=each.module, detail=detail)
        yield from self._missing()
        for distribution, recorded in self.conflicts:
            detail = f"the model was saved with {distribution.name} {recorded}, {distribution.version} is installed"
            yield CaptureWarning(
                kind=WarningKind.OTHER_VERSION, subject=distribution.name, detail=detail
            )
        for gap in self.survey.gaps:
            yield CaptureWarning(
                kind=WarningKind.UNREAD,
                subject=gap.file,
                detail=f"{gap.file} was not read whole: {gap.problem}",
            )

    def _missing(self) -> Iterator[CaptureWarning]:
        told: set[str] = set()
        for line, mention in self.missing:
            if line in told:
                continue
            told.add(line)
            if self.method != PHASE:
                detail = f"code that the example did not reach imports {mention.module} ({mention.where}), not installed"
            else:
                if "==" in line:
                    known = "what it requires"
                else:
                    known = "its version and what it requires"
                if self.python:
                    why = f"this is not Python {self.python}"
                else:
                    why = "it is not installed"
                detail = f"{line} is named by {mention.where}, {why}: {known} is not known"
            yield CaptureWarning(
                kind=WarningKind.NOT_INSTALLED, subject=line.partition("=")[0], detail=detail
            )


def beside(
    trace: Trace,
    selection: Selection,
    model: ModelDirectory,
    installed: InstalledDistributions,
    places: Places,
    *,
    include: bool,
) -> Static:
    """Read the code of a model that was traced: what do branches import that did not run?"""
    modules = Modules(trace.interpreter, _roots(model), lambda: installed.editable_folders)
    own = {file for file in trace.files.values() if file is not None and places.is_local(file)}
    # what lies outside is its code, too
    seen = tuple(sorted({*own, *(each.file for each in selection.outside)}))
    survey = reading.of_code(model, modules, trace.interpreter.version, seen)
    found, missing = _resolve(survey.mentions, modules, installed, places)
    required = {each.distribution for each in selection.requirements}
    held = required | {each.distribution for each in selection.constraints}
    found = [each for each in found if each.owner is not None]
    unreached = {(each.name, each.mention.where): each for each in found if each.owner not in held}
    return Static(
        method="trace",
        survey=survey,
        found=tuple(each for each in found if each.owner not in required),
        unreached=tuple(unreached.values()),
        missing=tuple((distribution_named(each.module), each) for each in missing),
        included=include or trace.skipped is not None,
    )


def with_unseen(
    trace: Trace, model: ModelDirectory, installed: InstalledDistributions, places: Places
) -> Trace:
    """The trace, in which Python processes that could not be recorded imported what they were told to."""
    words = [("python", *each) for each in native.unseen(trace)]
    mentions = [mention for each in words for mention in source_imports.in_program(each)]
    if not mentions:
        return trace
    modules = Modules(trace.interpreter, _roots(model), lambda: installed.editable_folders)
    found, _ = _resolve(mentions, modules, installed, places)
    imports = (
        Import(module=each.module, importer="python", importer_file=None, line=0, phase=PHASE)
        for each in found
        if not each.mention.guarded
    )
    return replace(
        trace,
        imports=(*trace.imports, *imports),
        files={**{each.module: each.file for each in found}, **trace.files},
    )


def with_compression(trace: Trace, model: ModelDirectory) -> Trace:
    """The trace, in which joblib asked for lz4 on behalf of an artifact; it asks for it in any case, in a `try`."""
    if trace.files.get(LZ4) is None or not any(reading.lz4_artifacts(model)):
        return trace
    asked = Import(module=LZ4, importer="", importer_file=None, line=0, phase="load", artifact=True)
    return replace(trace, imports=(*trace.imports, asked))


def instead(model: ModelDirectory, python: str | Path | None) -> tuple[Trace, Static]:
    """Read all files of a model, in place of a trace."""
    facts = describe(python)
    trace = Trace.of_nothing(facts, skipped=NOTHING_RUN)
    installed = InstalledDistributions(facts.sys_path)
    modules = Modules(facts, _roots(model), lambda: installed.editable_folders)
    survey = reading.of_everything(model, modules, facts.version)
    places = Places(trace, installed, model.path, model.own_places)
    found, missing = _resolve(survey.mentions, modules, installed, places)
    _add_plugins(survey, found, modules, installed, places)
    if model.python_function.python_version is None:
        recorded = {
            name: version
            for name, version in survey.versions.items()
            if installed.named(name) is None
        }
        survey.python = python_of(survey.pythons, recorded, facts.version) or survey.python
    other = survey.python is not None and _minor(survey.python) != _minor(facts.version)
    lines = [(distribution_named(each.module), each) for each in missing]
    if other:  # what is installed here is for another Python than the model's
        lines += [(each.name, each.mention) for each in found if each.owner is not None]
        found = [each for each in found if each.owner is None]
        facts = replace(facts, version=survey.python or facts.version, tools={})
    static = Static(
        method=PHASE,
        survey=survey,
        python=survey.python if other else None,
        found=tuple(found),
        missing=tuple((_line(name, survey.versions), each) for name, each in lines),
        conflicts=tuple(_conflicts(found, survey.versions)),
        included=True,
    )
    return static.add_to(replace(trace, interpreter=facts), model), static


def _add_plugins(
    survey: Survey,
    found: list[_Found],
    modules: Modules,
    installed: InstalledDistributions,
    places: Places,
) -> None:
    """Add the plugins that the model's code asks for, itself or through a library that it imports."""
    asked = list(plugins.of_model(survey, installed))
    for each in found:
        if each.mention.by_code:
            asked += plugins.of_library(each.file, each.mention, survey.texts, installed)
    found += _resolve(asked, modules, installed, places)[0]


def _resolve(
    mentions: Iterable[Mention], modules: Modules, installed: InstalledDistributions, places: Places
) -> tuple[list[_Found], list[Mention]]:
    """Find the distribution of each mention; what is neither there nor guarded is missing."""
    found: list[_Found] = []
    missing: dict[str, Mention] = {}
    for each in mentions:
        if each.instead_of and all(modules.find(name) for name in each.instead_of):
            continue
        nearest = modules.nearest(each.alternatives)
        if nearest is None:
            if not each.guarded:
                missing.setdefault(each.module, each)
            continue
        module, file = nearest
        if file == STANDARD or places.is_local(file) or places.is_standard(file):
            continue
        found.append(_Found(mention=each, module=module, file=file, owner=installed.owner(file)))
    return found, list(missing.values())


def _import(found: _Found, model: ModelDirectory) -> Import:
    mention = found.mention
    return Import(
        module=found.module,
        importer=mention.file,
        importer_file=str(model.path / mention.file),
        line=mention.line,
        phase=PHASE,
        artifact=not mention.by_code,
    )


def _read_of(variable: Variable, model: ModelDirectory) -> VariableRead:
    return VariableRead(
        name=variable.name,
        is_set=variable.name in os.environ,
        needed=variable.needed,
        reader=variable.file,
        reader_file=str(model.path / variable.file),
        line=variable.line,
        phase=PHASE,
    )


def _roots(model: ModelDirectory) -> list[Path]:
    if model.code_path is not None:
        return [model.code_path]
    return []


def _conflicts(
    found: list[_Found], versions: Mapping[str, str]
) -> Iterator[tuple[Distribution, str]]:
    for owner in sorted(
        {each.owner for each in found if each.owner is not None}, key=lambda each: each.name
    ):
        recorded = versions.get(owner.name)
        if recorded is not None and recorded != owner.version:
            yield owner, recorded


def _line(name: str, versions: Mapping[str, str]) -> str:
    if name in versions:
        return f"{name}=={versions[name]}"
    return name


def _not_installed(line: str, mention: Mention) -> dict[str, Any]:
    """The entry in `distributions` for what no installed distribution stands for."""
    name, _, version = line.partition("==")
    if mention.by_code:
        by = {"by": mention.file, "line": mention.line}
    else:
        by = {"by": "artifact"}
    return {
        "name": name,
        "version": version,
        "role": "requirement",
        "extras": [],
        "requirement": line,
        "installer": None,
        "origin": None,
        "implied_by": [],
        "reasons": [{"phase": PHASE, "module": mention.module, **by}],
    }


def _name_in(requirement: Requirement) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement.text, maxsplit=1)[0]


def _where(mention: Mention) -> dict[str, Any]:
    return {"file": mention.file, "line": mention.line}


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
