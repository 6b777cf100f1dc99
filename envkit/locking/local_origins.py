"""Warnings for origins that only this machine has: folders, files, repositories, indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import Package, files_of
from envkit.installed.distribution import Distribution, Origin
from envkit.locking.local_wheels import LocalWheels
from envkit.locking.pins import reference
from envkit.models.capture_warnings import CaptureWarning, WarningKind


def warnings(closure: Iterable[Distribution], wheels: LocalWheels) -> Iterator[CaptureWarning]:
    """Warn of local origins without a wheel in the model, and of local repositories."""
    for distribution in closure:
        origin = distribution.origin
        if origin is None:
            continue
        why_no_wheel = wheels.missing.get(distribution.name)
        if origin.is_commit:
            has_wheel = distribution.name in wheels.found
            detail = _of_repository(distribution, origin, why_no_wheel, has_wheel=has_wheel)
        else:
            detail = _of_path(distribution, origin, why_no_wheel)
        if detail:
            yield _warning(distribution.name, detail)


def of_lock(packages: Iterable[Package]) -> Iterator[CaptureWarning]:
    """Warn of packages locked at a path on this machine, in a local index or folder."""
    for package in packages:
        urls = [file.url for file in files_of(package) if file.url is not None]
        local = [url for url in urls if urlsplit(url).scheme == "file"]
        if local:
            yield _warning(
                package.name,
                f"{package.name} is locked at {local[0]}, which is available only on this machine; "
                "other machines need an index that has it, or the wheel that `envkit bundle` adds",
            )


def repositories_of_lock(packages: Iterable[Package]) -> Iterator[CaptureWarning]:
    """Warn of packages locked at a commit of a local repository, without a wheel in the model."""
    for package in packages:
        url = package.vcs.url if package.vcs is not None else None
        if url is not None and urlsplit(url).scheme == "file":
            yield _warning(
                package.name,
                f"{package.name} is locked at {url}, "
                "a repository that is available only on this machine",
            )


def _warning(subject: str, detail: str) -> CaptureWarning:
    return CaptureWarning(kind=WarningKind.LOCAL_ORIGIN, subject=subject, detail=detail)


def _of_path(distribution: Distribution, origin: Origin, why_no_wheel: str | None) -> str:
    if why_no_wheel is None:
        return ""
    if origin.editable:
        how = "in development mode"
    else:
        how = "from a local file or folder"
    address = without_credentials(origin.url)
    return (
        f"{distribution.name} is installed {how} ({address}), and {why_no_wheel}: "
        f"other machines need an index that has version {distribution.version}"
    )


def _of_repository(
    distribution: Distribution, origin: Origin, why_no_wheel: str | None, *, has_wheel: bool
) -> str:
    address = reference(origin)
    if not origin.local:
        if why_no_wheel is None:
            return ""
        return f"no wheel of {distribution.name} could be built from {address}: {why_no_wheel}"
    detail = f"{distribution.name} @ {address} is available only on this machine"
    if has_wheel:
        return (
            f"{detail}; on other machines only pylock.toml installs it, from the wheel in the model"
        )
    return (
        f"{detail}, and there is no wheel of it ({why_no_wheel}): other machines cannot install it"
    )
