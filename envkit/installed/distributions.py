"""The distributions that one interpreter can import, by their names and by the files they own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from envkit.installed.distribution import Distribution
from envkit.installed.site_folder import SiteFolder, is_below


class InstalledDistributions:
    """Everything installed on the module search path of one interpreter."""

    def __init__(self, sys_path: Sequence[str]) -> None:
        """`sys_path`: the interpreter's; entries that are not folders are passed over."""
        self._sites = tuple(SiteFolder(folder) for folder in _folders(sys_path))
        self._owners: dict[str, Distribution | None] = {}

    def owner(self, file: str) -> Distribution | None:
        """The distribution that a file (an absolute path) belongs to."""
        if file not in self._owners:
            self._owners[file] = self._find_owner(file)
        return self._owners[file]

    def named(self, name: str) -> Distribution | None:
        """The distribution of this name that an import would find first."""
        return self._by_name.get(canonicalize_name(name))

    def __iter__(self) -> Iterator[Distribution]:
        """Yield each distribution that an import could find, one for each name."""
        return iter(self._by_name.values())

    @property
    def editable_folders(self) -> tuple[str, ...]:
        """The folders and files of development installs, outside every site folder."""
        return tuple(self._editables)

    @cached_property
    def _by_name(self) -> Mapping[NormalizedName, Distribution]:
        by_name: dict[NormalizedName, Distribution] = {}
        for site in self._sites:
            for distribution in site.distributions:
                known = by_name.get(distribution.name)
                if known is None or _replaces(distribution, known, site):
                    by_name[distribution.name] = distribution
        return by_name

    def _find_owner(self, file: str) -> Distribution | None:
        for site in self._sites:
            relative = site.relative(file)
            if relative is not None:
                return site.owner(relative)
        for site in self._sites:
            owner = site.owner_above(file)
            if owner is not None:
                return owner
        return self._editable_owner(file)

    def _editable_owner(self, file: str) -> Distribution | None:
        """The development install (PEP 660) that points at the file."""
        folders = [folder for folder in self._editables if is_below(file, folder)]
        if not folders:
            return None
        return self._editables[max(folders, key=len)]

    @cached_property
    def _editables(self) -> Mapping[str, Distribution]:
        editables: dict[str, Distribution] = {}
        for site in self._sites:
            editables.update(site.editables())
        return editables


def _replaces(
    distribution: Distribution,
    known: Distribution,
    site: SiteFolder,
) -> bool:
    """Whether a distribution takes the place of another one of its name in the same site folder."""
    is_neighbour = known.folder.parent == distribution.folder.parent
    return is_neighbour and site.is_stale(known)


def _folders(sys_path: Sequence[str]) -> Iterator[str]:
    """The folders of a search path, without their second mention by another path."""
    seen: set[str] = set()
    for entry in sys_path:
        real = os.path.realpath(entry)
        if entry and real not in seen and Path(entry).is_dir():
            seen.add(real)
            yield os.path.normpath(entry)
