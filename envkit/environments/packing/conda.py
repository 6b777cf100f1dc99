"""The members of a conda environment: as conda's packages have them, without local paths.

Where conda wrote the prefix into a file, the archive has the long path of the package again, and
`relocation`, which comes along as `bin/conda-unpack`, writes the new place there. Python, its
packages and programs need none of that: they find each other from where they lie.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from envkit.environments.packing import base, records, scripts, virtual
from envkit.environments.packing.members import Member, of_file
from envkit.environments.store import manifest
from envkit.errors import BuildFailed
from envkit.inside.programs import relocation
from envkit.installed import conda_records
from envkit.installed.conda_meta import FOLDER, CondaMeta, Record, entries_of

_META = f"{FOLDER}/"
_PROGRAM = f"{_META}relocation.py"
_STARTER = "bin/conda-unpack"
_START = b"""#!/bin/sh
# Writes the place of this environment into the files that need it. Needed once, where it stays.
here=$(dirname -- "$(realpath -- "$0")")
exec "$here/python" -I "$here/../conda-meta/relocation.py"
"""
_OWN = {manifest.NAME, manifest.MARKER, "CACHEDIR.TAG", _PROGRAM, _STARTER}
_CACHE = "__pycache__"
_OF_THE_MACHINE = ("extracted_package_dir", "package_tarball_full_path")
_HISTORY = b"==> 1980-01-01 00:00:00 <==\n"
_HISTORY_LINE = re.compile(rb"[+-]|# (update|remove|neutered) specs")


def members(environment: Path) -> Iterator[Member]:
    """Yield the environment, its records fitted to what is packed.

    Raises `BuildFailed` for what cannot be moved, `InvalidFile` for a damaged record.
    """
    installed = list(_installed(environment))
    meta = CondaMeta(environment)
    of_packages = {
        member.name: meta.read(environment / member.name)
        for member in installed
        if _is_record(member.name)
    }
    entries = {
        entry["_path"]: entry for record in of_packages.values() for entry in entries_of(record)
    }
    packed: dict[str, Member] = {}
    for member in installed:
        relocatable = _relocatable(member, entries.get(member.name, {}), environment)
        if relocatable is not None:
            packed[member.name] = relocatable
    _fit_distributions(packed, conda_records.distributions(environment))
    for name, record in of_packages.items():
        packed[name] = packed[name].with_content(_fitted_record(record, packed))
    yield from packed.values()
    yield Member(name=_PROGRAM, content=Path(relocation.__file__))
    yield Member(name=_STARTER, content=_START, executable=True)


def _installed(environment: Path) -> Iterator[Member]:
    """Yield everything without bytecode, sorted by name; bytecode that has no source stays."""
    for path in virtual.walk(environment, {_CACHE}):
        name = path.relative_to(environment).as_posix()
        if name in _OWN:
            continue
        if path.is_symlink():
            yield virtual.link(path, environment)
        else:
            yield of_file(path, name)


def _fit_distributions(packed: dict[str, Member], of_conda: Container[str]) -> None:
    """Fit the RECORD of each distribution that pip installed; conda's are left as they are."""
    for name, member in packed.items():
        metadata = posixpath.dirname(name)
        if virtual.is_record(name) and posixpath.basename(metadata) not in of_conda:
            site_packages = posixpath.dirname(metadata)
            packed[name] = member.with_content(records.fitted(member.data, site_packages, packed))


def _is_record(name: str) -> bool:
    return posixpath.dirname(name) == FOLDER and name.endswith(".json")


def _relocatable(member: Member, entry: Record, environment: Path) -> Member | None:
    """Return a member without the place where it lies; None when it is not packed.

    The entry of a file that needs no place any more is changed to say so.
    """
    if member.link or _is_record(member.name):
        return member
    if member.name == f"{_META}history":
        return member.with_content(_history(member.data))
    if not entry and virtual.is_of_the_build(member):
        return None
    placeholder = entry.get("prefix_placeholder", "")
    if placeholder:
        member = member.with_content(_restored(member, entry, environment))
    free = _without_place(member, placeholder, environment)
    if free is None:
        return member
    if placeholder.encode() not in free:
        for key in ("prefix_placeholder", "file_mode"):
            entry.pop(key, None)
    return member.with_content(free)


def _without_place(member: Member, placeholder: str, environment: Path) -> bytes | None:
    """Return the content of a script, or of `_sysconfigdata`, that finds its place by itself."""
    folder, name = posixpath.split(member.name)
    if folder == "bin":
        places = [placeholder, *virtual.homes(environment)]
        return scripts.relocatable(
            member.data, tuple(os.fsencode(place) for place in places if place)
        )
    if placeholder and name.startswith("_sysconfigdata"):
        return base.relative_variables(member.data.decode(), placeholder).encode()
    return None


def _restored(member: Member, entry: Record, environment: Path) -> bytes:
    """Return a file as its package has it.

    Raises `BuildFailed` for a binary file that was changed since.
    """
    content, placeholder = member.data, entry["prefix_placeholder"].encode()
    homes = [os.fsencode(home) for home in virtual.homes(environment)]
    if entry.get("file_mode") != "binary":
        for home in homes:
            content = content.replace(home, placeholder)
        return content
    for home in homes:
        content = _lengthened(content, home, placeholder)
    is_original = hashlib.sha256(content).hexdigest() == entry.get("sha256")
    if not is_original and any(home in content for home in homes):
        raise BuildFailed(
            f"pack {environment}: {member.name} holds that path and is not as conda installed it",
            "Remove the environment (`envkit envs remove`) and pack again.",
        )
    return content


def _lengthened(content: bytes, home: bytes, placeholder: bytes) -> bytes:
    """Put the placeholder back into the texts of a binary file.

    The zero bytes at each text's end had made up for the shorter path.
    """

    def lengthen(match: re.Match[bytes]) -> bytes:
        padded = match.group()
        text = padded.rstrip(b"\0")
        growth = (len(placeholder) - len(home)) * padded.count(home)
        padding = len(padded) - len(text) - growth
        if padding < 1:
            return padded
        return text.replace(home, placeholder) + b"\0" * padding

    return re.sub(re.escape(home) + rb"[^\0]*\0+", lengthen, content)


def _fitted_record(record: Record, packed: Mapping[str, Member]) -> bytes:
    """Return a record of conda's that matches what is packed, without local folders."""
    for key in _OF_THE_MACHINE:
        record.pop(key, None)
    if isinstance(record.get("link"), dict):
        record["link"]["source"] = ""
    record["files"] = [path for path in record.get("files", ()) if not _is_cached(path)]
    fitted = [
        _fitted_entry(entry, packed)
        for entry in entries_of(record)
        if not _is_cached(entry["_path"])
    ]
    record["paths_data"] = {**(record.get("paths_data") or {}), "paths": fitted}
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def _is_cached(path: str) -> bool:
    return f"/{_CACHE}/" in path


def _fitted_entry(entry: Record, packed: Mapping[str, Member]) -> Record:
    if entry.get("prefix_placeholder"):
        # relocation writes the digest of what it makes of the file
        return {key: value for key, value in entry.items() if key != "sha256_in_prefix"}
    member = packed.get(entry["_path"])
    content = member.changed if member is not None else None
    if content is None:
        return entry
    return {
        **entry,
        "sha256_in_prefix": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }


def _history(content: bytes) -> bytes:
    """Return conda's history without times and commands, which name folders.

    conda needs the file, which may be empty.
    """
    lines = [line for line in content.splitlines(keepends=True) if _HISTORY_LINE.match(line)]
    if lines:
        return _HISTORY + b"".join(lines)
    return b""
