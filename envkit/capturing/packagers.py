"""What conda or the operating system packaged of all that a model needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName

from envkit.capturing import native
from envkit.capturing.requirements import SelectedDistribution, Selection
from envkit.capturing.trace import Trace
from envkit.installed.conda_packages import CondaPackage, CondaPrefix
from envkit.installed.distribution import Distribution
from envkit.models.capture_warnings import CaptureWarning, WarningKind

DEFAULT_CHANNEL = "conda-forge"
_SYSTEM_SITE = re.compile(r"/usr/lib/python3(\.\d+)?/dist-packages")
_PYTHON = "python"


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaUse:
    """A conda package that the model needs.

    Attributes:
        package: The package.
        by: The distributions, or the files below the prefix, that it is needed for.
    """

    package: CondaPackage
    by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaNeeds:
    """What conda installed of all that a model needs.

    Attributes:
        channels: The channels, the most used one first.
        uses: The packages sorted by name, except Python itself.
        distributions: The names, as indexes know them, of distributions that conda installed.
        outside: Files that belong to no distribution, with their conda packages.
    """

    channels: tuple[str, ...]
    uses: tuple[CondaUse, ...]
    distributions: frozenset[NormalizedName]
    outside: tuple[tuple[str, CondaPackage], ...] = ()

    @property
    def specs(self) -> tuple[str, ...]:
        """As lines of `conda.yaml`."""
        return tuple(use.package.spec for use in self.uses)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        packages = [{**use.package.as_json(), "needed_for": list(use.by)} for use in self.uses]
        return {"channels": list(self.channels), "packages": packages}

    def without_explained(self, selection: Selection) -> Selection:
        """Return the selection without the files that a conda package brings."""
        known = {file for file, _ in self.outside}
        unexplained = tuple(file for file in selection.outside if file.file not in known)
        return replace(selection, outside=unexplained)


def conda_needs(trace: Trace, selection: Selection) -> CondaNeeds | None:
    """Find the conda packages of what the model uses; None outside a conda environment."""
    prefix = CondaPrefix.of(trace.interpreter.executable)
    if prefix is None:
        return None
    brought = {}
    for distribution in selection.distributions:
        package = prefix.brought(distribution)
        if package is not None:
            brought[distribution.name] = package
    outside = _owned_by_conda((unowned.file for unowned in selection.outside), prefix)
    native_files = _owned_by_conda(native.used(trace), prefix)

    needed_for: dict[CondaPackage, set[str]] = defaultdict(set)
    for name, package in brought.items():
        needed_for[package].add(name)
    for file, package in (*outside.items(), *native_files.items()):
        needed_for[package].add(prefix.below(file))
    packages = sorted(needed_for, key=lambda package: package.name)
    return CondaNeeds(
        channels=prefix.channels or (DEFAULT_CHANNEL,),
        uses=tuple(
            CondaUse(package=package, by=tuple(sorted(needed_for[package])))
            for package in packages
            if package.name != _PYTHON
        ),
        distributions=frozenset(brought),
        outside=tuple((file, outside[file]) for file in sorted(outside)),
    )


def conda_package(distribution: Distribution) -> CondaPackage | None:
    """The conda package of a distribution that conda installed."""
    prefix = CondaPrefix.around(distribution)
    if prefix is None:
        return None
    return prefix.brought(distribution)


def is_of_debian(distribution: Distribution) -> bool:
    """Whether a package of the operating system installed it."""
    if distribution.installer == "debian":
        return True
    return _SYSTEM_SITE.fullmatch(str(distribution.folder.parent)) is not None


def warnings(
    selected: Iterable[SelectedDistribution],
    not_on_index: Set[str],
    conda: CondaNeeds | None,
) -> Iterator[CaptureWarning]:
    """Yield what a system package or conda installed and no index has."""
    for candidate in selected:
        distribution = candidate.distribution
        if distribution.name not in not_on_index:
            continue
        packager = _packager(distribution, conda)
        if packager is not None:
            detail = (
                f"{distribution.name}=={distribution.version} was installed by {packager} and no "
                f"index has it: where the model runs, {packager} must install it"
            )
            yield CaptureWarning(
                kind=WarningKind.NOT_ON_INDEX, subject=distribution.name, detail=detail
            )
    if conda is not None:
        yield from _only_in_conda(conda)
        yield from _local_channels(conda)


def _owned_by_conda(files: Iterable[str], prefix: CondaPrefix) -> Mapping[str, CondaPackage]:
    owners = {}
    for file in files:
        owner = prefix.owner(file)
        if owner is not None:
            owners[file] = owner
    return owners


def _packager(distribution: Distribution, conda: CondaNeeds | None) -> str | None:
    if is_of_debian(distribution):
        return "the operating system"
    if conda is not None and distribution.name in conda.distributions:
        return "conda"
    return None


def _only_in_conda(conda: CondaNeeds) -> Iterator[CaptureWarning]:
    """One warning for each conda package with files that the model uses and no distribution has."""
    first: dict[str, str] = {}
    for file, package in conda.outside:
        if package.name != _PYTHON:
            first.setdefault(package.name, file)
    for name, file in first.items():
        detail = (
            f"{Path(file).name} comes with the conda package {name}: "
            "only a rebuild with conda has it"
        )
        yield CaptureWarning(kind=WarningKind.NOT_ON_INDEX, subject=name, detail=detail)


def _local_channels(conda: CondaNeeds) -> Iterator[CaptureWarning]:
    for channel in conda.channels:
        if channel.startswith("file:"):
            detail = (
                f"the conda channel {channel} is on this machine only: "
                "other machines need its packages from another channel"
            )
            yield CaptureWarning(kind=WarningKind.LOCAL_ORIGIN, subject=channel, detail=detail)
