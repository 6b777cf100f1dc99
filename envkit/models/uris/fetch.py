"""Fetch a model, or what is needed of it, to a folder of this machine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.formats import mlmodel
from envkit.inside.artifact_formats import SUFFIXES
from envkit.models.uris import archives, cache
from envkit.models.uris.naming import (
    HTTP,
    LOCAL,
    MLFLOW,
    archive_suffix,
    key_of,
    local_path,
    name_of,
    scheme_of,
    shown,
)
from envkit.models.uris.required_files import WHOLE, Entries, Entry, Need
from envkit.models.uris.source import Source

_NOT_ITS_OWN = shutil.ignore_patterns("__pycache__")


def is_elsewhere(uri: str | Path) -> bool:
    """Whether a text names a model that must be fetched, or unpacked, before it is a folder or file of this machine."""
    if scheme_of(uri) != LOCAL:
        return True
    path = local_path(uri)
    if not archive_suffix(uri) or not path.is_file():
        return False
    from envkit.models import bare_artifact  # XX

    return archives.holds_model(path) or not bare_artifact.is_artifact(path)


def fetched(uri: str | Path, need: Need = WHOLE) -> Path:
    """Give a folder, or file, of the store's cache with the files that are needed of a model elsewhere.

    What is there of the same content is not fetched again. Raises `ModelNotFound`,
    `InvalidArgument` for a scheme that nothing reads, `ToolNotFound` for a missing library,
    `InvalidFile` for hostile names and archives.
    """
    return fetched_in_part(uri, need)[0]


def fetched_in_part(uri: str | Path, need: Need) -> tuple[Path, dict[str, int | None]]:
    """Give the same, and the files of the model that were left where they are, with their sizes in bytes if told."""
    if scheme_of(uri) == LOCAL:
        source = _local(uri)
    else:
        source = _source(str(uri))
    entries = source.entries()
    for name in entries:
        _refuse_hostile(name, uri)
    if archive_suffix(uri):
        return archives.model_in(_unpacked(uri, source, entries)), {}
    if _is_artifact(uri, entries):
        return _files(uri, source, entries, need) / next(iter(entries)), {}
    _refuse_folders_of_models(uri, entries)
    found = _files(uri, source, entries, need)
    return found, {
        name: entry.size for name, entry in entries.items() if not (found / name).exists()
    }


def download_model(model_uri: str | Path, dst_path: str | Path | None = None) -> str:
    """Fetch a whole model; give the path of its folder, or of its file.

    dst_path: a folder in which it gets a folder of its name; default: the environment store's
    cache, whose files must not be changed. A model on this machine is copied, or with no `dst_path`
    left where it is.

    Raises what opening the model raises, and `InvalidArgument` when the destination holds something
    else.
    """
    if is_elsewhere(model_uri):
        found = fetched(model_uri)
    else:
        found = _here(model_uri)
    return str(
        found
        if dst_path is None
        else copied(found, Path(dst_path).expanduser(), name_of(model_uri))
    )


def download_artifact(uri: str, folder: Path) -> Path:
    """Fetch a file or folder that is no model of itself into an empty folder; give its path there.

    Raises what `fetched` raises.
    """
    source = _source(uri)
    entries = source.entries()
    for name in entries:
        _refuse_hostile(name, uri)
    if _is_artifact(uri, entries):
        target = folder
    else:
        target = folder / name_of(uri)
    target.mkdir(parents=True, exist_ok=True)
    _get(uri, source, list(entries), entries, target)
    if target == folder:
        return target / next(iter(entries))
    return target


def copied(model: Path, folder: Path, name: str) -> Path:
    """Copy a model into a folder, under that name, whole or not at all. An equal one that is there is taken.

    Raises `PathOutsideModel` when a symbolic link leads out of the model, `InvalidArgument` for
    another destination.
    """
    for each in model.rglob("*") if model.is_dir() else ():
        if each.is_symlink() and not each.resolve().is_relative_to(model.resolve()):
            raise PathOutsideModel(model, "a symbolic link", str(each.relative_to(model)))
    target = folder.absolute() / (name if model.is_dir() else model.name)
    if target.exists():
        if _sizes(target) != _sizes(model):
            raise InvalidArgument(
                f"{target} is there and is something else; name another folder, or remove it."
            )
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".part-", dir=folder, ignore_cleanup_errors=True
        ) as part:
            whole = Path(part, target.name)
            shutil.copytree(
                model, whole, ignore=_NOT_ITS_OWN
            ) if model.is_dir() else shutil.copyfile(model, whole)
            whole.rename(target)
    except OSError as error:
        raise InvalidArgument(
            f"{folder} cannot be written to: {error.strerror or error}."
        ) from error
    return target


def _here(uri: str | Path) -> Path:
    path = local_path(uri)
    if not path.exists():
        raise ModelNotFound(str(path), "there is no such directory")
    return path


def _sizes(place: Path) -> dict[str, int]:
    if place.is_file():
        return {"": place.stat().st_size}
    files = (
        each for each in place.rglob("*") if each.is_file() and "__pycache__" not in each.parts
    )
    return {each.relative_to(place).as_posix(): each.stat().st_size for each in files}


def _source(uri: str) -> Source:
    scheme = scheme_of(uri)
    if scheme in MLFLOW:
        from envkit.models.uris.tracking import open_tracked

        return open_tracked(uri)
    if scheme in HTTP:
        from envkit.models.uris import proxied, web

        if proxied.is_one(uri):
            return proxied.Proxied(uri)
        return web.Web(uri)
    from envkit.models.uris.filesystems import open_file_system

    return open_file_system(uri)


def _is_artifact(uri: str | Path, entries: Entries) -> bool:
    """Whether the URI names a file: sources list that one first."""
    last = str(uri).partition("?")[0].rstrip("/").rpartition("/")[2]
    return mlmodel.FILE_NAME not in entries and next(iter(entries)) == last


def _refuse_folders_of_models(uri: str | Path, entries: Entries) -> None:
    """Raise `ModelNotFound` where models lie further down, before all of them are fetched."""
    below = [name for name in entries if name.endswith(f"/{mlmodel.FILE_NAME}")]
    if below and mlmodel.FILE_NAME not in entries and not any(_is_bare(name) for name in entries):
        folder = min(below, key=len).removesuffix(f"/{mlmodel.FILE_NAME}")
        raise ModelNotFound(
            shown(uri), f"the folder has no MLmodel file; there is one in {folder}/ below it"
        )


def _is_bare(name: str) -> bool:
    return "/" not in name and Path(name).suffix.lower() in SUFFIXES


def _files(uri: str | Path, source: Source, entries: Entries, need: Need) -> Path:
    place, name = key_of(source.place), name_of(uri)
    wanted = need.of(entries)
    told = all(entry.tag for entry in entries.values())
    if told or mlmodel.FILE_NAME not in entries:
        description = b""
    else:
        description = _description(source)
    certain = told or bool(description)
    for names in (frozenset(entries), wanted):  # the whole model serves, too
        if certain:
            there = cache.kept(place, _version(entries, names, description), name)
        else:
            there = None
        if there is not None and _is_intact(there, entries, names):
            return there
        if there is not None:
            shutil.rmtree(there.parent, ignore_errors=True)

    def fill(folder: Path) -> None:
        _get(uri, source, wanted, entries, folder)

    return cache.put(place, _version(entries, wanted, description) if certain else None, name, fill)


def _unpacked(uri: str | Path, source: Source, entries: Entries) -> Path:
    place, name = key_of(source.place), name_of(uri)
    archive = next(iter(entries))
    told = bool(entries[archive].tag)

    def fill(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="envkit-", dir=folder.parent) as waiting:
            _get(uri, source, {archive}, entries, Path(waiting))
            archives.extract(Path(waiting, archive), folder, shown(uri))

    if told:
        version = _version(entries, frozenset({archive}), b"")
    else:
        version = None
    return (version and cache.kept(place, version, name)) or cache.put(place, version, name, fill)


def _get(
    uri: str | Path, source: Source, names: Collection[str], entries: Entries, into: Path
) -> None:
    source.get(names, into)
    for name in names:
        size, path = entries[name].size, into / name
        if not path.is_file() or (size is not None and path.stat().st_size != size):
            raise ModelNotFound(
                shown(uri), f"{name} did not arrive whole; it may have changed meanwhile"
            )


def _description(source: Source) -> bytes:
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        source.get({mlmodel.FILE_NAME}, Path(folder))
        return Path(folder, mlmodel.FILE_NAME).read_bytes()


def _version(entries: Entries, names: frozenset[str], description: bytes) -> str:
    """Name a choice of files with a certain content; files without tags are told by what `MLmodel` says."""
    facts = [[name, entries[name].size, entries[name].tag] for name in sorted(names)]
    content = json.dumps(facts).encode("utf-8", "surrogatepass") + description
    return hashlib.sha256(content).hexdigest()[:16]


def _is_intact(folder: Path, entries: Entries, names: frozenset[str]) -> bool:
    """Whether what is kept has its sizes: a crash of the machine may have cut files off."""
    found = _sizes(folder)
    return all(name in found and entries[name].size in (None, found[name]) for name in names)


def _refuse_hostile(name: str, uri: str | Path) -> None:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in name or os.path.isabs(name):  # noqa: PTH117
        raise InvalidFile(shown(uri), name, "is a name that leads out of the model, or none")


class _Local:
    """An archive on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        return str(self._path)

    def entries(self) -> Entries:
        status = self._path.stat()
        return {
            self._path.name: Entry(size=status.st_size, tag=f"{status.st_mtime_ns}-{status.st_ino}")
        }

    def get(self, names: Collection[str], into: Path) -> None:
        del names
        shutil.copyfile(self._path, into / self._path.name)


def _local(uri: str | Path) -> Source:
    return _Local(local_path(uri).absolute())
