"""Solve and install conda packages with py-rattler. Started by its path, in a process of its own.

    python -I rattler_program.py REQUEST.json

It reads one request and writes one answer, both JSON, and ends with `os._exit`: after its work
py-rattler crashes at the interpreter's own end in about 2 % of processes. The keys of the request:

    rattler    the folder from which `rattler` is imported
    job        "install" or "lock"
    channels   URLs without credentials; the first one wins
    specs      match specs
    cache      a private folder for downloads
    config     configuration files of rattler besides the user's own; the last one wins
    lock       pixi.lock to install from without a solve, or null; for the job "lock" the file
               to write
    rewritten  pairs of URL prefixes: one in a lock, and what replaces it
    platform   may be missing or empty; conda's name of another platform to solve for
    prefix     where to install, absolute
    scripts    whether packages' own scripts may run after they are installed
    offline    whether only the cache may be used
    answer     where the answer is written

The answer has `packages` (name, version, build, url, sha256) and `notes`, or `error` (kind,
message). Standard output has a line `step: …` for each step.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

# `rattler` is imported inside functions, because `main` first makes its folder importable.
if TYPE_CHECKING:
    from rattler import (
        Client,
        Gateway,
        GenericVirtualPackage,
        MatchSpec,
        RepoDataRecord,
        Subdir,
    )
    from rattler.config import Config

KINDS = {  # by class names: py-rattler has no stable module for its exceptions
    "SolverError": "unsolvable",
    "GatewayError": "channel",
    "FetchRepoDataError": "channel",
    "InvalidChannelError": "channel",
    "InvalidUrlError": "channel",
    "InvalidMatchSpecError": "spec",
    "ParseCondaLockError": "lock",
    "ConfigError": "config",
}
VIRTUAL_PACKAGES = {  # of a machine of the last years, by operating system
    "linux": {
        "__unix": "0",
        "__linux": "5.10",
        "__glibc": "2.28",
    },
    "osx": {"__unix": "0", "__osx": "13.0"},
    "win": {"__win": "10"},
}
STALE_CHANNEL = "A channel could not be reached; its packages are those of the last time."


class Refused(Exception):
    """The request cannot be done. kind: which part of it is at fault."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Do the job and return the answer."""
    sys.path.append(request["rattler"])
    try:
        return asyncio.run(_do(request))
    except Refused as refusal:
        return {"error": {"kind": refusal.kind, "message": str(refusal)}}
    except Exception as error:  # py-rattler's own; envkit reports whatever it is
        kind = KINDS.get(type(error).__name__, "install")
        message = str(error).strip() or type(error).__name__
        return {"error": {"kind": kind, "message": message}}


async def _do(request: dict[str, Any]) -> dict[str, Any]:
    """Do the job: solve, then install or write a lock."""
    from rattler import Client, MatchSpec

    config = _config(request)
    client = Client.from_config(config)
    specs = [MatchSpec(spec) for spec in request["specs"]]
    notes: list[str] = []
    if request["job"] == "install" and request["lock"]:
        records = _locked(request, specs)
    else:
        _print_step("Solving conda packages")
        records = await _solved(request, specs, config, client, notes)
    if request["job"] == "lock":
        _write_lock(request, records)
    else:
        _check_local_files(records)
        _print_step(f"Downloading and installing {len(records)} conda packages")
        await _install(request, records, specs, config, client)
    return {
        "packages": [_package(record) for record in records],
        "notes": notes,
    }


def _config(request: dict[str, Any]) -> Config:
    """Read the configuration of pixi and rattler, then that of the request."""
    from rattler.config import Config

    own = [path for path, _ in Config.config_search_paths("pixi") if path.is_file()]
    files: list[str | os.PathLike[str]] = [*own, *map(Path, request["config"])]
    return Config.load_from_files(files)


def _print_step(step: str) -> None:
    """Report progress to envkit, which reads the standard output."""
    print(f"step: {step}", flush=True)


async def _solved(
    request: dict[str, Any],
    specs: list[MatchSpec],
    config: Config,
    client: Client,
    notes: list[str],
) -> list[RepoDataRecord]:
    """Solve with the channels of today.

    When they cannot be reached, with what is cached of them.
    """
    from rattler import Gateway, SourceConfig

    cache = Path(request["cache"], "repodata")
    cache_only = SourceConfig(cache_action="force-cache-only", sharded_enabled=False)
    cached = Gateway(
        cache_dir=cache,
        default_config=cache_only,
        client=client,
    )
    if request["offline"]:
        return await _solve(request, specs, cached)
    gateway = Gateway.from_config(config, cache_dir=cache, client=client)
    try:
        return await _solve(request, specs, gateway)
    except Exception as error:
        if KINDS.get(type(error).__name__) != "channel" or _has_answered(error):
            raise
        unreachable = error
    try:
        records = await _solve(request, specs, cached)
    except Exception:  # the cache has too little; the cause is that the channels do not answer
        raise unreachable from None
    notes.append(STALE_CHANNEL)
    return records


def _has_answered(error: Exception) -> bool:
    """Whether a channel was reached and refused, rather than not reached at all."""
    return "HTTP status" in str(error) or "could not find subdir" in str(error)


async def _solve(
    request: dict[str, Any], specs: list[MatchSpec], gateway: Gateway
) -> list[RepoDataRecord]:
    """Solve with the packages that a gateway finds."""
    from rattler import Channel, ChannelPriority, Subdir, solve

    return await solve(
        sources=[Channel(url) for url in request["channels"]],
        specs=specs,
        gateway=gateway,
        platforms=[_platform(request), Subdir("noarch")],
        virtual_packages=_virtual_packages(request.get("platform")),
        channel_priority=ChannelPriority.Strict,
    )


def _platform(request: dict[str, Any]) -> Subdir:
    """The requested platform, else this one."""
    from rattler import Subdir

    if request.get("platform"):
        return Subdir(request["platform"])
    return Subdir.current()


def _virtual_packages(platform: str | None) -> list[Any]:
    """Detect them for this platform, and assume them for another one."""
    from rattler import VirtualPackage, VirtualPackageOverrides

    if platform:
        return list(_assumed_packages(platform))
    return list(VirtualPackage.detect(VirtualPackageOverrides.from_env()))


def _assumed_packages(platform: str) -> list[GenericVirtualPackage]:
    """Make the virtual packages that a machine of that platform probably has."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    build = BuildString("0")
    packages = []
    for name, version in VIRTUAL_PACKAGES[platform.partition("-")[0]].items():
        packages.append(GenericVirtualPackage(PackageName(name), Version(version), build))
    return packages


def _locked(request: dict[str, Any], specs: list[MatchSpec]) -> list[RepoDataRecord]:
    """Give a lock's packages for this platform, if they match the specs and each has a digest."""
    from rattler import LockFile, Subdir

    environment = LockFile.from_path(request["lock"]).default_environment()
    platform = str(Subdir.current())
    records = None
    if environment is not None:
        records = environment.conda_repodata_records().get(platform)
    if not records:
        raise Refused("platform", f"it has no packages for {platform}")
    for spec in specs:
        if not any(spec.matches(record) for record in records):
            raise Refused("lock", f"it has no package that matches {spec}")
    for record in records:
        if record.sha256 is None:
            raise Refused("lock", f"it has no sha256 of {record.file_name}")
        record.url = _rewritten(record.url, request["rewritten"])
    return records


def _rewritten(url: str, prefixes: list[list[str]]) -> str:
    """Replace the first prefix that a URL has."""
    for old, new in prefixes:
        if url.startswith(old):
            return new + url[len(old) :]
    return url


def _check_local_files(records: list[RepoDataRecord]) -> None:
    """Compare packages of `file:` channels with their digests, which py-rattler does not do."""
    for record in records:
        parts = urlsplit(record.url)
        if parts.scheme != "file":
            continue
        path = Path(unquote(parts.path))
        if record.sha256 is not None:
            _check_digest(path, "sha256", record.sha256)
        elif record.md5 is not None:
            _check_digest(path, "md5", record.md5)


def _check_digest(path: Path, algorithm: str, expected: bytes) -> None:
    """Raise `Refused` if a file does not have the digest."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm).digest()
    except OSError as error:
        raise Refused("package", f"{path}: {error.strerror}") from None
    if digest != expected:
        raise Refused(
            "hash",
            f"{path} has {algorithm} {digest.hex()}, and {expected.hex()} is expected",
        )


async def _install(
    request: dict[str, Any],
    records: list[RepoDataRecord],
    specs: list[MatchSpec],
    config: Config,
    client: Client,
) -> None:
    """Download, check and link the packages."""
    from rattler import install
    from rattler.package_cache import (
        PackageCache,
        PackageCacheLayer,
        ValidationMode,
    )

    folder = str(Path(request["cache"], "pkgs"))
    layer = PackageCacheLayer(folder).with_validation_mode(ValidationMode.full())
    await install(
        records,
        target_prefix=request["prefix"],
        package_cache=PackageCache.from_layers([layer], cache_origin=True),
        client=client,
        config=config,
        execute_link_scripts=request["scripts"],
        requested_specs=[spec._match_spec for spec in specs],  # 0.28 forgets to unwrap them
        show_progress=False,
    )


def _write_lock(request: dict[str, Any], records: list[RepoDataRecord]) -> None:
    """Write the lock in the format of pixi."""
    from rattler import LockChannel, LockFile, LockPlatform

    platform = LockPlatform(str(_platform(request)))
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(url) for url in request["channels"]])
    for record in sorted(records, key=lambda record: record.file_name):
        lock.add_conda_package("default", platform, record)
    lock.to_path(Path(request["lock"]))


def _package(record: RepoDataRecord) -> dict[str, str]:
    """Give the facts of a package for the answer."""
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build": str(record.build),
        "url": record.url,
        "sha256": record.sha256.hex() if record.sha256 is not None else "",
    }


def _write(answer: dict[str, Any], path: str) -> int:
    """Write the answer, and give the exit status."""
    try:
        Path(path).write_text(json.dumps(answer), encoding="utf-8")
    except OSError as error:  # such as a full disk
        print(f"{error.strerror}: {path}")
        return 1
    return 0


if __name__ == "__main__":
    request = json.loads(Path(sys.argv[1]).read_bytes())
    status = _write(main(request), request["answer"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
