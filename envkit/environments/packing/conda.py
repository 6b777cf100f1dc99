"""The members of a conda environment: as conda's packages have them, with no path of this machine.

Where conda wrote the prefix into a file, the long path of the package stands in the archive again,
and `relocation`, which comes along as `bin/conda-unpack`, writes the new place there. Python, its
packages and programs need none of that: they find each other from where they lie.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envkit.environments.packing import base, records, scripts, virtual
from envkit.environments.packing.members import Member, of_file
from envkit.environments.store import manifest
from envkit.errors import BuildFailed
from envkit.inside.programs import relocation
from envkit.installed import conda_records as conda_records

_META = f"{conda_records.FOLDER}/"
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

Record = dict[str, Any]


def members(environment: Path) -> Iterator[Member]:
    """Yield the environment, its records fitted to what is packed. Raises `BuildFailed` for what cannot be moved."""
    found = {each.name: each for each in _installed(environment)}
    noted = {name: json.loads(each.data) for name, each in found.items() if _is_record(name)}
    entries = {
        entry["_path"]: entry
        for record in noted.values()
        for entry in record["paths_data"]["paths"]
    }
    changed = {
        name: _changed(each, entries.get(name, {}), environment) for name, each in found.items()
    }
    kept = {name: content for name, content in changed.items() if content is not virtual.DROPPED}
    of_conda = conda_records.distributions(environment)
    for name in kept:
        if virtual.is_record(name) and posixpath.basename(posixpath.dirname(name)) not in of_conda:
            kept[name] = records.fitted(
                found[name].data, posixpath.dirname(posixpath.dirname(name)), kept
            )
    for name, record in noted.items():
        kept[name] = _record(record, kept)
    for name, content in kept.items():
        member = found[name]
        yield (
            member
            if content is None
            else Member(name=name, content=content, executable=member.executable)
        )
    yield Member(name=_PROGRAM, content=Path(relocation.__file__))
    yield Member(name=_STARTER, content=_START, executable=True)


def _installed(environment: Path) -> Iterator[Member]:
    """Yield everything without bytecode, sorted by name; bytecode that has no source stays."""
    for folder, folders, names in os.walk(environment):
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(set(folders) - {_CACHE} - set(linked))
        for name in sorted([*names, *linked]):
            path = Path(folder, name)
            inner = path.relative_to(environment).as_posix()
            if inner not in _OWN:
                yield virtual.link(path, environment) if path.is_symlink() else of_file(path, inner)


def _is_record(name: str) -> bool:
    return posixpath.dirname(name) == conda_records.FOLDER and name.endswith(".json")


def _changed(member: Member, entry: Record, environment: Path) -> bytes | None:
    """Give the new content of a file that knows where it lies; None when it stays as it is.

    The entry of a file that needs no place any more is changed to say so.
    """
    if member.link or _is_record(member.name):
        return None
    if member.name == f"{_META}history":
        return _history(member.data)
    if not entry and virtual.is_of_the_build(member):
        return virtual.DROPPED
    placeholder = entry.get("prefix_placeholder", "")
    if placeholder:
        content = _restored(member, entry, environment)
    else:
        content = None
    folder, name = posixpath.split(member.name)
    places = tuple(os.fsencode(each) for each in (placeholder, *virtual.homes(environment)) if each)
    found = None
    if folder == "bin":
        found = scripts.relocatable(member.data if content is None else content, places)
    elif content is not None and name.startswith("_sysconfigdata"):
        found = base.relative_variables(content.decode(), placeholder).encode()
    if found is not None and placeholder.encode() not in found:
        for key in ("prefix_placeholder", "file_mode"):
            entry.pop(key, None)
    if found is None:
        return content
    return found


def _restored(member: Member, entry: Record, environment: Path) -> bytes:
    """Give a file as its package has it. Raises `BuildFailed` for a binary file that was changed since."""
    content, placeholder = member.data, entry["prefix_placeholder"].encode()
    binary = entry.get("file_mode") == "binary"
    for home in map(os.fsencode, virtual.homes(environment)):
        if binary:
            content = _lengthened(content, home, placeholder)
        else:
            content = content.replace(home, placeholder)
    if (
        binary
        and hashlib.sha256(content).hexdigest() != entry.get("sha256")
        and _names(content, environment)
    ):
        raise BuildFailed(
            f"pack {environment}: {member.name} holds that path and is not as conda installed it",
            "Remove the environment (`envkit envs remove`) and pack again.",
        )
    return content


def _lengthened(content: bytes, home: bytes, placeholder: bytes) -> bytes:
    """Undo what a binary file got: the zero bytes at each text's end made up for the shorter path."""

    def grown(found: re.Match[bytes]) -> bytes:
        text = found.group()
        bare = text.rstrip(b"\0")
        left = len(text) - len(bare) - (len(placeholder) - len(home)) * text.count(home)
        if left < 1:
            return text
        return bare.replace(home, placeholder) + b"\0" * left

    return re.sub(re.escape(home) + rb"[^\0]*\0+", grown, content)


def _names(content: bytes, environment: Path) -> bool:
    return any(os.fsencode(home) in content for home in virtual.homes(environment))


def _record(record: Record, packed: Mapping[str, bytes | None]) -> bytes:
    """Give a record of conda's that fits what is packed and tells nothing of this machine's folders."""
    for key in _OF_THE_MACHINE:
        record.pop(key, None)
    if isinstance(record.get("link"), dict):
        record["link"]["source"] = ""
    record["files"] = [each for each in record.get("files", ()) if not _is_cached(each)]
    paths = record["paths_data"]["paths"]
    record["paths_data"]["paths"] = [
        _entry(each, packed) for each in paths if not _is_cached(each["_path"])
    ]
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def _is_cached(path: str) -> bool:
    return f"/{_CACHE}/" in path


def _entry(entry: Record, packed: Mapping[str, bytes | None]) -> Record:
    content = packed.get(entry["_path"])
    if entry.get("prefix_placeholder"):
        return {key: value for key, value in entry.items() if key != "sha256_in_prefix"}
    if content is None:
        return entry
    return {
        **entry,
        "sha256_in_prefix": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }


def _history(content: bytes) -> bytes:
    """Give conda's history without times and commands, which name folders; conda wants one, empty or not."""
    lines = [line for line in content.splitlines(keepends=True) if _HISTORY_LINE.match(line)]
    if lines:
        return _HISTORY + b"".join(lines)
    return b""
