"""Map each module and file that a model used to the installed distribution that it belongs to.

The file decides, not the name: a module belongs to the distribution whose RECORD lists its file
(`InstalledDistributions.owner`). What belongs to no distribution, and is not the model's own, is
reported: it will be missing on other machines.
"""

from __future__ import annotations

from dataclasses import dataclass

from envkit.capturing.places import Places
from envkit.capturing.trace import (
    FileUse,
    MetadataLookup,
    ModuleImport,
    PickledModule,
    Trace,
    Use,
)
from envkit.installed.distribution import Distribution, is_metadata
from envkit.installed.distributions import InstalledDistributions


@dataclass(frozen=True, kw_only=True, slots=True)
class DistributionUse:
    """A use of a file that belongs to a distribution.

    Attributes:
        use: What was used, and by which code.
        distribution: The distribution of the file.
        user: The distribution of that code, None for the model.
    """

    use: Use
    distribution: Distribution
    user: Distribution | None

    @property
    def is_on_behalf(self) -> bool:
        """Whether it is not the model's code that uses it but an artifact, or the runner's code."""
        return isinstance(self.use, PickledModule) or self.use.by.is_runner

    @property
    def module(self) -> str | None:
        """The module that is used; None for another file."""
        if isinstance(self.use, ModuleImport | PickledModule):
            return self.use.module
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnownedFile:
    """A file of neither the model nor a distribution.

    Attributes:
        file: The path.
        module: The module whose file it is, None for other files.
    """

    file: str
    module: str | None

    @property
    def name(self) -> str:
        """The module, or the path of another file."""
        return self.module or self.file


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedDistributions:
    """What a model used.

    Attributes:
        uses: Uses of files that belong to distributions.
        unowned: Files that belong to none, sorted by name.
    """

    uses: tuple[DistributionUse, ...]
    unowned: tuple[UnownedFile, ...]


def to_distributions(
    trace: Trace,
    installed: InstalledDistributions,
    places: Places,
) -> UsedDistributions:
    """Find the distribution of each module and file in the trace that is not the model's own."""
    uses: list[DistributionUse] = []
    unowned: dict[str, UnownedFile] = {}
    for use in trace.uses:
        file = _file_of(use, trace)
        if file is None or places.is_local(file):
            continue
        user = _user(use, places)
        if _only_looks_around(use, file, user):
            continue
        distribution = installed.owner(file)
        if distribution is None:
            if _will_be_missing(use, file, user, places):
                missing = UnownedFile(file=file, module=_module_of(use))
                unowned[missing.name] = missing
        elif distribution != user:
            uses.append(DistributionUse(use=use, distribution=distribution, user=user))
    in_order = [unowned[name] for name in sorted(unowned)]
    return UsedDistributions(uses=tuple(uses), unowned=tuple(in_order))


def _user(use: Use, places: Places) -> Distribution | None:
    """The distribution whose code it was; None for the model, its artifacts, and the runner."""
    if isinstance(use, PickledModule):
        return None
    return places.distribution_of(use.by)


def _file_of(use: Use, trace: Trace) -> str | None:
    if isinstance(use, FileUse):
        return use.path
    module = _module_of(use)
    if module is None:
        return None
    return trace.files.get(module)


def _module_of(use: Use) -> str | None:
    if isinstance(use, ModuleImport | PickledModule):
        return use.module
    return None


def _only_looks_around(
    use: Use,
    file: str,
    user: Distribution | None,
) -> bool:
    """Whether the use says nothing about a need.

    Libraries that search for plugins read the metadata of all distributions, by file or by name.
    The model's own code looks up a name because it means that distribution.
    """
    if isinstance(use, MetadataLookup):
        return user is not None
    return isinstance(use, FileUse) and is_metadata(file)


def _will_be_missing(
    use: Use,
    file: str,
    user: Distribution | None,
    places: Places,
) -> bool:
    """Whether a file of no distribution will be missed elsewhere.

    Data files that libraries read are theirs to find: caches, configuration, temporary files.
    """
    if places.is_of_the_system(file):
        return False
    return user is None or not isinstance(use, FileUse)
