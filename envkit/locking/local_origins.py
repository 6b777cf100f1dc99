"""What the files of a capture name that this machine alone has: folders and files, repositories, indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.installed.distribution import Distribution, Origin
from envkit.locking.local_wheels import LocalWheels
from envkit.locking.pins import reference
from envkit.models.capture_warnings import CaptureWarning, WarningKind


def warnings(closure: Iterable[Distribution], wheels: LocalWheels) -> Iterator[CaptureWarning]:
    """Tell of what has no wheel in the model, and of lines that lead to a repository of this machine."""
    for each in closure:
        origin = each.origin
        if origin is None:
            continue
        detail = None
        why = wheels.missing.get(each.name)
        if origin.is_commit:
            detail = _of_repository(each, origin, why, has_wheel=each.name in wheels.found)
        elif why is not None:
            if origin.editable:
                how = "in development mode"
            else:
                how = "from a local file or folder"
            detail = (
                f"{each.name} is installed {how} ({without_credentials(origin.url)}), and {why}: "
                f"elsewhere, version {each.version} must be on an index"
            )
        if detail is not None:
            yield CaptureWarning(kind=WarningKind.LOCAL_ORIGIN, subject=each.name, detail=detail)


def of_lock(packages: Iterable[LockedPackage]) -> Iterator[CaptureWarning]:
    """Tell of packages whose files are locked by a path of this machine: those of an index or folder of its own."""
    for each in packages:
        files = [
            *each.get("wheels", ()),
            *(each[key] for key in ("archive", "sdist") if key in each),
        ]
        local = next(
            (
                str(file["url"])
                for file in files
                if urlsplit(str(file.get("url", ""))).scheme == "file"
            ),
            None,
        )
        if local is not None:
            detail = (
                f"{each['name']} is locked at {local}, which this machine alone has: "
                "elsewhere, another index must have it; `envkit bundle` takes it along"
            )
            yield CaptureWarning(
                kind=WarningKind.LOCAL_ORIGIN, subject=str(each["name"]), detail=detail
            )


def repositories_of_lock(packages: Iterable[LockedPackage]) -> Iterator[CaptureWarning]:
    """Tell of packages that are locked at a commit of a repository of this machine, without a wheel of it."""
    for each in packages:
        url = str(each.get("vcs", {}).get("url", ""))
        if urlsplit(url).scheme == "file":
            detail = f"{each['name']} is locked at {url}, a repository that this machine alone has"
            yield CaptureWarning(
                kind=WarningKind.LOCAL_ORIGIN, subject=str(each["name"]), detail=detail
            )


def _of_repository(
    distribution: Distribution, origin: Origin, why: str | None, *, has_wheel: bool
) -> str | None:
    if not origin.local:
        if why:
            return f"{distribution.name} was to be built from {reference(origin)}, and {why}"
        return None
    detail = f"{distribution.name} @ {reference(origin)} can be had on this machine alone"
    if has_wheel:
        return f"{detail}: elsewhere, only pylock.toml installs it, from the wheel that the model takes along"
    return f"{detail}, and there is no wheel of it ({why}): elsewhere, it cannot be installed"
