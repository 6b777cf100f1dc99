"""Who else packaged what the model needs: conda, by the records of its environments, or the operating system."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName

from envkit.capturing import native
from envkit.capturing.requirements import Needed, Selection
from envkit.capturing.trace import Trace
from envkit.installed.conda_meta import CondaPackage, CondaPrefix
from envkit.installed.distributions import Distribution
from envkit.models.capture_warnings import CaptureWarning, WarningKind

DEFAULT_CHANNEL = "conda-forge"
_SYSTEM_SITE = re.compile(r"/usr/lib/python3(\.\d+)?/dist-packages")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaUse:
    """A conda package that the model needs. by: what it is needed for, a distribution or files below the prefix."""

    package: CondaPackage
    by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaNeeds:
    """What conda brought of all that a model needs, sorted by name, besides Python itself.

    distributions: the names, as indexes know them, of what is among the uses. outside: files that
    conda alone has.
    """

    channels: tuple[str, ...]
    uses: tuple[CondaUse, ...]
    distributions: frozenset[NormalizedName]
    outside: tuple[tuple[str, CondaPackage], ...] = ()

    @property
    def specs(self) -> tuple[str, ...]:
        """As lines of `conda.yaml`."""
        return tuple(each.package.spec for each in self.uses)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "channels": list(self.channels),
            "packages": [
                {**each.package.as_json(), "needed_for": list(each.by)} for each in self.uses
            ],
        }

    def without_explained(self, selection: Selection) -> Selection:
        """The selection without modules and files that a conda package brings: they are not missing elsewhere."""
        known = {file for file, _ in self.outside}
        return replace(
            selection, outside=tuple(each for each in selection.outside if each.file not in known)
        )


def conda_needs(trace: Trace, selection: Selection) -> CondaNeeds | None:
    """Look through what the model uses for conda's packages; None where the interpreter is of no conda environment."""
    prefix = CondaPrefix.of(trace.interpreter.executable)
    if prefix is None:
        return None
    closure = selection.distributions
    brought = {
        each.name: package for each in closure if (package := prefix.brought(each)) is not None
    }
    outside = {
        each.file: owner
        for each in selection.outside
        if (owner := prefix.owner(each.file)) is not None
    }
    files = {
        path: owner for path in native.used(trace) if (owner := prefix.owner(path)) is not None
    }
    uses: dict[CondaPackage, set[str]] = {}
    found = [
        *brought.items(),
        *((prefix.below(file), each) for file, each in {**outside, **files}.items()),
    ]
    for what, package in found:
        if package.name != "python":
            uses.setdefault(package, set()).add(what)
    return CondaNeeds(
        channels=prefix.channels or (DEFAULT_CHANNEL,),
        uses=tuple(
            CondaUse(package=each, by=tuple(sorted(uses[each])))
            for each in sorted(uses, key=lambda each: each.name)
        ),
        distributions=frozenset(brought),
        outside=tuple(sorted(outside.items(), key=lambda each: each[0])),
    )


def conda_package(distribution: Distribution) -> CondaPackage | None:
    """The conda package of a distribution that conda installed, else None."""
    prefix = CondaPrefix.around(distribution)
    if prefix is not None:
        return prefix.brought(distribution)
    return None


def is_of_debian(distribution: Distribution) -> bool:
    """Whether a package of the operating system brought it."""
    return distribution.installer == "debian" or bool(
        _SYSTEM_SITE.fullmatch(str(distribution.folder.parent))
    )


def warnings(
    closure: Iterable[Needed], unlocked: Iterable[str], conda: CondaNeeds | None
) -> Iterator[CaptureWarning]:
    """What a system package or conda brought and no index has; `unlocked` are the lock's reasons."""
    reasons = tuple(unlocked)
    of_conda = conda.distributions if conda is not None else frozenset()
    for each in (needed.distribution for needed in closure):
        pin = f"{each.name}=={each.version}"
        if is_of_debian(each):
            who = "the operating system"
        elif each.name in of_conda:
            who = "conda"
        else:
            who = ""
        if who and any(pin in re.split(r"[\s,]+", reason) for reason in reasons):
            detail = f"{pin} was installed by {who} and no index has it: where the model runs, {who} must bring it"
            yield CaptureWarning(kind=WarningKind.NOT_ON_INDEX, subject=each.name, detail=detail)
    if conda is not None:
        yield from _of_conda_alone(conda)


def _of_conda_alone(conda: CondaNeeds) -> Iterator[CaptureWarning]:
    first: dict[str, str] = {}
    for file, package in conda.outside:
        if package.name != "python":
            first.setdefault(package.name, file)
    for name, file in first.items():
        detail = f"{Path(file).name} comes with the conda package {name}: only a rebuild with conda has it"
        yield CaptureWarning(kind=WarningKind.NOT_ON_INDEX, subject=name, detail=detail)
    for each in conda.channels:
        if each.startswith("file:"):
            detail = f"conda's channel {each} lies on this machine: elsewhere, its packages must be had otherwise"
            yield CaptureWarning(kind=WarningKind.LOCAL_ORIGIN, subject=each, detail=detail)
