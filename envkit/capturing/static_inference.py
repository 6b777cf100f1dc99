"""From what a model's files mention to what it needs, in addition to a trace or instead of one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from envkit.analysis import plugins
from envkit.analysis import survey as surveys
from envkit.analysis.flavors import distribution_named
from envkit.analysis.mentions import Mention, Survey
from envkit.analysis.module_finder import STANDARD, Modules
from envkit.analysis.python_versions import python_of
from envkit.analysis.source_file import SourceFiles
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection
from envkit.capturing.trace import (
    CodeLocation,
    ModuleImport,
    ModuleUse,
    PickledModule,
    Trace,
    VariableRead,
)
from envkit.formats.requirement import Requirement
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.locking.lock import Unlocked
from envkit.models import supplied_by_runner
from envkit.models.capture_warnings import CaptureWarning, WarningKind
from envkit.models.directory import ModelDirectory

PHASE = "static"
NOTHING_RUN = "nothing of the model was run"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedMention:
    """A mention whose module is installed.

    Attributes:
        mention: The mention.
        module: The module that it means.
        file: The file of the module.
        owner: The distribution of the file, None if it belongs to none.
    """

    mention: Mention
    module: str
    file: str
    owner: Distribution | None

    @property
    def name(self) -> str:
        """The name of the distribution, guessed by the module where no distribution has it."""
        if self.owner is not None:
            return self.owner.name
        return distribution_named(self.module)


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingModule:
    """A mention whose module is not installed.

    Attributes:
        mention: The mention.
        requirement: The line to require in its place.
    """

    mention: Mention
    requirement: str

    @property
    def module(self) -> str:
        """The module, as the mention names it."""
        return self.mention.module


T = TypeVar("T", ResolvedMention, MissingModule)


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionConflict:
    """A distribution of which the model records another version than is installed."""

    distribution: Distribution
    recorded: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticInference:
    """What reading the model's files survey.

    Attributes:
        method: `trace` if the model was also run, else `static`.
        survey: What the files mention.
        python: The version that the model is for, if the interpreter has another one.
        resolved: Mentions of what is installed and was not required already.
        unreached: Those of them that no requirement brings.
        missing: Mentions of what is not installed.
        conflicts: Distributions of other versions than the model records.
        included: Whether `resolved` is required.
    """

    method: str
    survey: Survey
    python: str | None = None
    resolved: tuple[ResolvedMention, ...] = ()
    unreached: tuple[ResolvedMention, ...] = ()
    missing: tuple[MissingModule, ...] = ()
    conflicts: tuple[VersionConflict, ...] = ()
    included: bool = False

    @property
    def ran_nothing(self) -> bool:
        """Whether the model was only read."""
        return self.method == PHASE

    @property
    def lines(self) -> tuple[str, ...]:
        """Requirements for modules that no installed distribution has."""
        if not self.ran_nothing:
            return ()
        return tuple(sorted({missing.requirement for missing in self.missing}))

    @property
    def unlocked(self) -> Unlocked | None:
        """Why there can be no lock, if so: what is not installed has no known closure."""
        if not self.lines:
            return None
        names = ", ".join(self.lines)
        reason = f"what is not installed in this interpreter cannot be locked ({names})"
        return Unlocked(reasons=(reason,))

    def with_lines(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """Add the lines for what is not installed to pins of distributions, sorted by name."""
        lines = [Requirement(text=line) for line in self.lines]
        if not lines:
            return tuple(pins)
        return tuple(sorted((*pins, *lines), key=_name_in))

    def add_to(self, trace: Trace, model: ModelDirectory) -> Trace:
        """Return the trace as if it had seen these imports and reads too."""
        uses = [_module_use(resolved, model) for resolved in self.resolved]
        files = {resolved.module: resolved.file for resolved in self.resolved}
        variables = tuple(self._variable_reads(model))
        extended = trace.with_uses(uses, files)
        return replace(extended, variables=(*trace.variables, *variables))

    def without_supplied_modules(self) -> StaticInference:
        """Return the inference without the modules of MLflow that the runner supplies."""
        return replace(
            self,
            resolved=tuple(_not_supplied(self.resolved)),
            unreached=tuple(_not_supplied(self.unreached)),
            missing=tuple(_not_supplied(self.missing)),
        )

    def _variable_reads(self, model: ModelDirectory) -> Iterator[VariableRead]:
        for variable in self.survey.variables:
            file = str(model.path / variable.file)
            yield VariableRead(
                name=variable.name,
                is_set=variable.name in os.environ,
                needed=variable.needed,
                phase=PHASE,
                by=CodeLocation(module=variable.file, file=file, line=variable.line),
            )

    def added_to(self, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content of `envkit.json` with what reading survey."""
        first = {missing.requirement: missing.mention for missing in reversed(self.missing)}
        added = [_as_distribution(line, first[line]) for line in self.lines]
        return {
            **evidence,
            "method": self.method,
            "static": self._as_json(),
            "distributions": [*evidence["distributions"], *added],
        }

    def _as_json(self) -> dict[str, Any]:
        return {
            "included": self.included,
            "unreached": [
                {
                    **_where(resolved.mention),
                    "module": resolved.module,
                    "distribution": resolved.name,
                }
                for resolved in self.unreached
            ],
            "missing": [
                {
                    **_where(missing.mention),
                    "module": missing.mention.module,
                    **({"requirement": missing.requirement} if self.lines else {}),
                }
                for missing in self.missing
            ],
            "unread": [{"file": gap.file, "problem": gap.problem} for gap in self.survey.gaps],
        }

    def warnings(self) -> Iterator[CaptureWarning]:
        """Yield what could not be known."""
        if not self.included:
            yield from map(_unreached_warning, self.unreached)
        yield from self._missing_warnings()
        for conflict in self.conflicts:
            name, version = conflict.distribution.name, conflict.distribution.version
            detail = f"the model was saved with {name} {conflict.recorded}, {version} is installed"
            yield CaptureWarning(kind=WarningKind.OTHER_VERSION, subject=name, detail=detail)
        for gap in self.survey.gaps:
            detail = f"{gap.file} was not read whole: {gap.problem}"
            yield CaptureWarning(kind=WarningKind.UNREAD, subject=gap.file, detail=detail)

    def _missing_warnings(self) -> Iterator[CaptureWarning]:
        reported: set[str] = set()
        for missing in self.missing:
            if missing.requirement in reported:
                continue
            reported.add(missing.requirement)
            name = missing.requirement.partition("=")[0]
            detail = self._why_missing(missing)
            yield CaptureWarning(kind=WarningKind.NOT_INSTALLED, subject=name, detail=detail)

    def _why_missing(self, missing: MissingModule) -> str:
        mention = missing.mention
        if not self.ran_nothing:
            return (
                f"code that the example did not reach imports {mention.module} ({mention.where}), "
                "not installed"
            )
        if self.python:
            why = f"this is not Python {self.python}"
        else:
            why = "it is not installed"
        unknown = "what it requires"
        if "==" not in missing.requirement:
            unknown = f"its version and {unknown}"
        return f"{missing.requirement} is named by {mention.where}, {why}: {unknown} is not known"


def infer_unreached(
    trace: Trace,
    selection: Selection,
    model: ModelDirectory,
    installed: InstalledDistributions,
    places: Places,
    sources: SourceFiles,
    *,
    include: bool,
) -> StaticInference:
    """Read the code of a model that was traced, for what branches import that did not run."""
    modules = modules_of(trace, model, installed)
    local = set(places.local_sources(trace).values())
    # code that lies outside the model is its code too
    outside = {unowned.file for unowned in selection.outside}
    code = sorted(local | outside)
    survey = surveys.of_code(model, modules, trace.interpreter.version, code, sources)
    resolved, missing = resolve(survey.mentions, modules, installed, places)
    required = {selected.distribution for selected in selection.requirements}
    installed_anyway = set(selection.distributions)
    imported = _imported_by_code(trace)

    def ran(mention: Mention, module: str) -> bool:
        return (str(model.path / mention.file), module) in imported

    resolved = [each for each in resolved if each.owner is not None]
    unreached = {
        (each.name, each.mention.where): each
        for each in resolved
        if each.owner not in installed_anyway and not ran(each.mention, each.module)
    }
    return StaticInference(
        method="trace",
        survey=survey,
        resolved=tuple(each for each in resolved if each.owner not in required),
        unreached=tuple(unreached.values()),
        missing=tuple(
            MissingModule(mention=mention, requirement=distribution_named(mention.module))
            for mention in missing
            if not ran(mention, mention.module)
        ),
        included=include or trace.skipped is not None,
    )


def _imported_by_code(trace: Trace) -> frozenset[tuple[str, str]]:
    """The imports that the trace saw, as (file of the importer, module).

    What a module in `sys.modules` stands in for (MLflow in the runner) has no distribution, and was
    imported nevertheless.
    """
    return frozenset(
        (use.by.file, use.module)
        for use in trace.module_uses
        if isinstance(use, ModuleImport) and use.by.file is not None
    )


def infer_everything(
    model: ModelDirectory,
    python: str | Path | None,
    sources: SourceFiles,
) -> tuple[Trace, StaticInference]:
    """Read all files of a model, instead of tracing it."""
    facts = describe(python)
    trace = Trace(interpreter=facts, skipped=NOTHING_RUN)
    installed = InstalledDistributions(facts.sys_path)
    places = Places(trace, installed, model.path, model.own_places)
    modules = modules_of(trace, model, installed)
    survey = surveys.of_everything(model, modules, facts.version, sources=sources)
    resolved, missing = resolve(survey.mentions, modules, installed, places)
    loaded = _plugins(survey, resolved, installed, sources)
    resolved += resolve(loaded, modules, installed, places)[0]

    wanted = _python_of(model, survey, installed, facts.version)
    is_other = _minor(wanted) != _minor(facts.version)
    lines = [(distribution_named(mention.module), mention) for mention in missing]
    if is_other:
        # what is installed here is for another Python than the model's
        lines += [(each.name, each.mention) for each in resolved if each.owner is not None]
        resolved = [each for each in resolved if each.owner is None]
        trace = replace(trace, interpreter=replace(facts, version=wanted, tools={}))
    inference = StaticInference(
        method=PHASE,
        survey=survey,
        python=wanted if is_other else None,
        resolved=tuple(resolved),
        missing=tuple(
            MissingModule(mention=mention, requirement=_requirement(name, survey.versions))
            for name, mention in lines
        ),
        conflicts=tuple(_conflicts(resolved, survey.versions)),
        included=True,
    )
    return inference.add_to(trace, model), inference


def modules_of(
    trace: Trace,
    model: ModelDirectory,
    installed: InstalledDistributions,
) -> Modules:
    """Return the modules that the model's code can import."""
    own = [model.code_path] if model.code_path is not None else []
    return Modules(trace.interpreter, own, lambda: installed.editable_folders)


def resolve(
    mentions: Iterable[Mention],
    modules: Modules,
    installed: InstalledDistributions,
    places: Places,
) -> tuple[list[ResolvedMention], list[Mention]]:
    """Find the distribution of each mention, and the modules that are missing.

    A module that is not installed is missing unless the code can do without it.
    """
    resolved: list[ResolvedMention] = []
    missing: dict[str, Mention] = {}
    for mention in mentions:
        if mention.instead_of and all(map(modules.find, mention.instead_of)):
            continue
        nearest = modules.nearest(mention.alternatives)
        if nearest is None:
            if not mention.guarded:
                missing.setdefault(mention.module, mention)
            continue
        module, file = nearest
        if file == STANDARD or places.is_local(file) or places.is_standard(file):
            continue
        owner = installed.owner(file)
        resolved.append(
            ResolvedMention(
                mention=mention,
                module=module,
                file=file,
                owner=owner,
            )
        )
    return resolved, list(missing.values())


def _plugins(
    survey: Survey,
    resolved: Iterable[ResolvedMention],
    installed: InstalledDistributions,
    sources: SourceFiles,
) -> Iterator[Mention]:
    """The plugins that the model's code loads, itself or through a library that it imports."""
    yield from plugins.of_model(survey, installed)
    for each in resolved:
        if each.mention.by_code:
            yield from plugins.of_library(each.file, each.mention, survey.texts, installed, sources)


def _python_of(
    model: ModelDirectory,
    survey: Survey,
    installed: InstalledDistributions,
    version: str,
) -> str:
    """The Python version that the model is for; `version` where nothing says that it is another."""
    if model.python_function.python_version is None:
        not_installed = {
            name: recorded
            for name, recorded in survey.versions.items()
            if installed.named(name) is None
        }
        guessed = python_of(survey.pythons, not_installed, version)
        if guessed is not None:
            return guessed
    return survey.python or version


def _conflicts(
    resolved: Iterable[ResolvedMention], versions: Mapping[str, str]
) -> Iterator[VersionConflict]:
    owners = {each.owner for each in resolved if each.owner is not None}
    for owner in sorted(owners, key=lambda owner: owner.name):
        recorded = versions.get(owner.name)
        if recorded is not None and recorded != owner.version:
            yield VersionConflict(distribution=owner, recorded=recorded)


def _module_use(resolved: ResolvedMention, model: ModelDirectory) -> ModuleUse:
    mention = resolved.mention
    file = str(model.path / mention.file)
    by = CodeLocation(module=mention.file, file=file, line=mention.line)
    if mention.by_code:
        return ModuleImport(module=resolved.module, phase=PHASE, by=by)
    return PickledModule(module=resolved.module, phase=PHASE, by=by)


def _unreached_warning(resolved: ResolvedMention) -> CaptureWarning:
    detail = (
        f"code that the example did not reach imports {resolved.module} "
        f"({resolved.mention.where}): {resolved.name} is not required (`--include-static` does)"
    )
    return CaptureWarning(kind=WarningKind.NOT_REACHED, subject=resolved.module, detail=detail)


def _not_supplied(modules: Iterable[T]) -> Iterator[T]:
    """Yield what is not a module of MLflow that the runner supplies."""
    for each in modules:
        module = each.module
        is_of_mlflow = module.partition(".")[0] == supplied_by_runner.PACKAGE
        if not is_of_mlflow or not supplied_by_runner.is_supplied(module):
            yield each


def _requirement(name: str, versions: Mapping[str, str]) -> str:
    if name in versions:
        return f"{name}=={versions[name]}"
    return name


def _as_distribution(line: str, mention: Mention) -> dict[str, Any]:
    """The entry in `distributions` of `envkit.json` for a requirement that is not installed."""
    name, _, version = line.partition("==")
    if mention.by_code:
        by: dict[str, Any] = {"by": mention.file, "line": mention.line}
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
