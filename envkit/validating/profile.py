"""Profiles: settings by name, to which those of a project are added.

A profile is a file with the keys of an `envkit.toml`: one of envkit's own, one in the user's
settings (`~/.config/envkit/profiles/NAME.toml`), or any file that is named by its path.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from envkit.errors import InvalidArgument
from envkit.validating import project_settings
from envkit.validating.project_settings import ProjectSettings

DEFAULT = "default"
_OWN = Path(__file__).with_name("profiles")
_SUFFIX = ".toml"


def read(name: str) -> ProjectSettings:
    """Read a profile by its name or path.

    Raises `InvalidArgument` when there is none, `InvalidFile` when it is malformed.
    """
    path = _path(name)
    if not path.is_file():
        known = ", ".join(sorted(_names()))
        raise InvalidArgument(
            f"Unknown profile '{name}'. The profiles are {known}. Your own are files in "
            f"{_users_folder()}."
        )
    return project_settings.read(path)


def with_profile(settings: ProjectSettings, name: str | None) -> ProjectSettings:
    """Give settings with those of a profile where they say nothing. Raises as `read`.

    name: what the user chose; else the profile that the settings name, else `DEFAULT`.
    """
    profile = read(name or settings.profile or DEFAULT)
    return replace(
        settings,
        select=settings.select or profile.select,
        ignore=(*profile.ignore, *settings.ignore),
        severities={**profile.severities, **settings.severities},
        fail_on=settings.fail_on or profile.fail_on,
        once=profile.once if settings.once is None else settings.once,
        baseline=settings.baseline or profile.baseline,
        jobs=profile.jobs if settings.jobs is None else settings.jobs,
        scanners=settings.scanners or profile.scanners,
        targets=settings.targets or profile.targets,
        rtol=profile.rtol if settings.rtol is None else settings.rtol,
        atol=profile.atol if settings.atol is None else settings.atol,
    )


def is_file(name: str) -> bool:
    """Whether a profile is named by its path."""
    return name.endswith(_SUFFIX) or Path(name).name != name


def _path(name: str) -> Path:
    if is_file(name):
        return Path(name)
    own = _OWN / f"{name}{_SUFFIX}"
    return own if own.is_file() else _users_folder() / f"{name}{_SUFFIX}"


def _names() -> set[str]:
    folders = (_OWN, _users_folder())
    return {path.stem for folder in folders for path in folder.glob(f"*{_SUFFIX}")}


def _users_folder() -> Path:
    settings = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(settings) / "envkit" / "profiles"
