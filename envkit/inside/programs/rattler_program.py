"""The program that solves and installs conda packages with py-rattler. It runs in a process of its own, by its path.

    python -I rattler_program.py REQUEST.json

It reads one request and writes the answer, both JSON, and ends with `os._exit`: after its work
py-rattler crashes at the interpreter's own end in about 2 % of processes. The request's keys:

    rattler    the folder from which `rattler` is imported
    job        "install" or "lock"
    channels   URLs without credentials, first wins
    specs      match specs
    cache      a private folder for downloads
    config     configuration files of rattler beside the user's own, the last wins
    lock       pixi.lock to install from without a solve, or null; for the job "lock" the file to write
    rewritten  pairs of URL prefixes: what a lock names, and where this machine gets it from
    prefix     where to install, absolute
    scripts    whether packages' own scripts may run after they were installed
    offline    whether only what the cache holds may be used
    answer     where the answer goes

The answer has `packages` (name, version, build, url, sha256) and `notes`, or `error` (kind,
message). What goes on is told on standard output, in lines `step: …`.
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

if TYPE_CHECKING:
    from rattler import Client, Gateway, GenericVirtualPackage, MatchSpec, RepoDataRecord, Subdir
    from rattler.config import Config

KINDS = {  # by names: what py-rattler raises is in no module that can be relied on
    "SolverError": "unsolvable",
    "GatewayError": "channel",
    "FetchRepoDataError": "channel",
    "InvalidChannelError": "channel",
    "InvalidUrlError": "channel",
    "InvalidMatchSpecError": "spec",
    "ParseCondaLockError": "lock",
    "ConfigError": "config",
}


class Refused(Exception):
    """Something is wrong with what was asked for; `kind` tells whom to blame."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Do the job and give the answer."""
    sys.path.append(request["rattler"])
    try:
        return asyncio.run(_do(request))
    except Refused as refusal:
        return {"error": {"kind": refusal.kind, "message": str(refusal)}}
    except Exception as error:  # whatever it is, envkit is told
        kind = KINDS.get(type(error).__name__, "install")
        return {"error": {"kind": kind, "message": str(error).strip() or type(error).__name__}}


async def _do(request: dict[str, Any]) -> dict[str, Any]:
    from rattler import Client, MatchSpec
    from rattler.config import Config

    # pixi's and rattler's own
    known = [path for path, _ in Config.config_search_paths("pixi") if path.is_file()]
    config = Config.load_from_files([*known, *map(Path, request["config"])])
    client = Client.from_config(config)
    specs = [MatchSpec(each) for each in request["specs"]]
    notes: list[str] = []
    if request["job"] == "install" and request["lock"]:
        records = _locked(request, specs)
    else:
        _tell("Solving conda packages")
        records = await _solved(request, specs, config, client, notes)
    if request["job"] == "lock":
        _write_lock(request, records)
    else:
        _check_files(records)
        _tell(f"Downloading and installing {len(records)} conda packages")
        await _install(request, records, specs, config, client)
    return {"packages": [_facts(each) for each in records], "notes": notes}


def _tell(what: str) -> None:
    print(f"step: {what}", flush=True)


async def _solved(
    request: dict[str, Any],
    specs: list[MatchSpec],
    config: Config,
    client: Client,
    notes: list[str],
) -> list[RepoDataRecord]:
    """Solve with what the channels say today; when they cannot be reached, with what they said the last time."""
    from rattler import Gateway, SourceConfig

    cached = Gateway(
        cache_dir=Path(request["cache"], "repodata"),
        default_config=SourceConfig(cache_action="force-cache-only", sharded_enabled=False),
        client=client,
    )
    if request["offline"]:
        return await _solve(request, specs, cached)
    gateway = Gateway.from_config(
        config, cache_dir=Path(request["cache"], "repodata"), client=client
    )
    try:
        return await _solve(request, specs, gateway)
    except Exception as unreachable:
        if KINDS.get(type(unreachable).__name__) != "channel" or _answered(unreachable):
            raise
        try:
            records = await _solve(request, specs, cached)
        except (
            Exception
        ):  # the cache holds too little: what counts is that the channels do not answer
            raise unreachable from None
        notes.append(
            "A channel could not be reached; what it said the last time was taken for true."
        )
        return records


def _answered(error: Exception) -> bool:
    """Whether the channel is there and said no; else there is no way to it."""
    return "HTTP status" in str(error) or "could not find subdir" in str(error)


async def _solve(
    request: dict[str, Any], specs: list[MatchSpec], gateway: Gateway
) -> list[RepoDataRecord]:
    from rattler import (
        Channel,
        ChannelPriority,
        Subdir,
        VirtualPackage,
        VirtualPackageOverrides,
        solve,
    )

    return await solve(
        sources=[Channel(each) for each in request["channels"]],
        specs=specs,
        gateway=gateway,
        platforms=[_subdir(request), Subdir("noarch")],
        virtual_packages=_elsewhere(request["platform"])
        if request.get("platform")
        else VirtualPackage.detect(VirtualPackageOverrides.from_env()),
        channel_priority=ChannelPriority.Strict,
    )


def _subdir(request: dict[str, Any]) -> Subdir:
    """The platform that is asked for, else this one."""
    from rattler import Subdir

    if request.get("platform"):
        return Subdir(request["platform"])
    return Subdir.current()


def _elsewhere(platform: str) -> list[GenericVirtualPackage]:
    """What another machine is taken to be, where nothing can be detected: one of the last years."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    told = {
        "linux": {"__unix": "0", "__linux": "5.10", "__glibc": "2.28"},
        "osx": {"__unix": "0", "__osx": "13.0"},
        "win": {"__win": "10"},
    }[platform.partition("-")[0]]
    build = BuildString("0")
    return [
        GenericVirtualPackage(PackageName(name), Version(version), build)
        for name, version in told.items()
    ]


def _locked(request: dict[str, Any], specs: list[MatchSpec]) -> list[RepoDataRecord]:
    """Give a lock's packages for this platform, if they are what is asked for and each has a digest."""
    from rattler import LockFile, Subdir

    environment = LockFile.from_path(request["lock"]).default_environment()
    here = str(Subdir.current())
    if environment is not None:
        records = environment.conda_repodata_records().get(here)
    else:
        records = None
    if not records:
        raise Refused("platform", f"it has no packages for {here}")
    for spec in specs:
        if not any(spec.matches(each) for each in records):
            raise Refused("lock", f"it has nothing that is {spec}")
    for record in records:
        if record.sha256 is None:
            raise Refused("lock", f"{record.file_name} has no sha256 in it")
        record.url = _rewritten(record.url, request["rewritten"])
    return records


def _rewritten(url: str, prefixes: list[list[str]]) -> str:
    for old, new in prefixes:
        if url.startswith(old):
            return new + url[len(old) :]
    return url


def _check_files(records: list[RepoDataRecord]) -> None:
    """Compare packages of `file:` channels with their digests, which py-rattler does for those from a server alone."""
    for record in records:
        parts = urlsplit(record.url)
        if parts.scheme != "file" or (record.sha256 is None and record.md5 is None):
            continue
        wanted, name = (
            (record.sha256, "sha256") if record.sha256 is not None else (record.md5, "md5")
        )
        path = Path(unquote(parts.path))
        try:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, name).digest()
        except OSError as error:
            raise Refused("package", f"{path}: {error.strerror}") from None
        if found != wanted:
            raise Refused(
                "hash",
                f"{path} has {name} {found.hex()}, and {wanted.hex() if wanted else ''} is expected",
            )


async def _install(
    request: dict[str, Any],
    records: list[RepoDataRecord],
    specs: list[MatchSpec],
    config: Config,
    client: Client,
) -> None:
    from rattler import install
    from rattler.package_cache import PackageCache, PackageCacheLayer, ValidationMode

    layer = PackageCacheLayer(str(Path(request["cache"], "pkgs"))).with_validation_mode(
        ValidationMode.full()
    )
    await install(
        records,
        target_prefix=request["prefix"],
        package_cache=PackageCache.from_layers([layer], cache_origin=True),
        client=client,
        config=config,
        execute_link_scripts=request["scripts"],
        requested_specs=[each._match_spec for each in specs],  # 0.28 forgets to unwrap them
        show_progress=False,
    )


def _write_lock(request: dict[str, Any], records: list[RepoDataRecord]) -> None:
    from rattler import LockChannel, LockFile, LockPlatform

    platform = LockPlatform(str(_subdir(request)))
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(each) for each in request["channels"]])
    for record in sorted(records, key=lambda each: each.file_name):
        lock.add_conda_package("default", platform, record)
    lock.to_path(Path(request["lock"]))


def _facts(record: RepoDataRecord) -> dict[str, str]:
    digest = record.sha256.hex() if record.sha256 is not None else ""
    name = record.name.normalized
    return {
        "name": name,
        "version": str(record.version),
        "build": str(record.build),
        "url": record.url,
        "sha256": digest,
    }


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_bytes())
    told = json.dumps(main(asked))
    try:
        Path(asked["answer"]).write_text(told, encoding="utf-8")
        failed = 0
    except OSError as error:  # a full disk
        print(f"{error.strerror}: {asked['answer']}")
        failed = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(failed)
