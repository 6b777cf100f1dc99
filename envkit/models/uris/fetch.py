"""Fetch a remote model, or the files of it that are needed, to a local folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.formats import mlmodel
from envkit.inside.artifact_formats import SUFFIXES
from envkit.models import bare_artifact
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


def is_elsewhere(uri: str | Path) -> bool:
    """Return whether a model must be fetched or unpacked before it is a local folder or file."""
    if scheme_of(uri) != LOCAL:
        return True
    path = local_path(uri)
    if not archive_suffix(uri) or not path.is_file():
        return False
    # Some artifacts are ZIP files themselves.
    return archives.holds_model(path) or not bare_artifact.is_artifact(path)


def fetched(uri: str | Path, need: Need = WHOLE) -> Path:
    """Return a folder or file of the cache with the needed files of a remote model.

    Cached files of the same content are not fetched again. Raises `ModelNotFound`,
    `InvalidArgument` for an unknown scheme, `ToolNotFound` for a missing library, and
    `InvalidFile` for hostile names and archives.
    """
    return fetched_in_part(uri, need)[0]


def fetched_in_part(uri: str | Path, need: Need) -> tuple[Path, dict[str, int | None]]:
    """Return the same, and the sizes in bytes (or None) of the files that were not fetched."""
    listing = _list(uri)
    if archive_suffix(uri):
        return archives.model_in(_unpacked(listing)), {}
    if listing.is_file:
        return _cached(listing, need) / listing.first_name, {}
    _check_is_one_model(listing)
    folder = _cached(listing, need)
    missing = {
        name: entry.size for name, entry in listing.entries.items() if not (folder / name).exists()
    }
    return folder, missing


def download_model(model_uri: str | Path, dst_path: str | Path | None = None) -> str:
    """Fetch a whole model.

    Args:
        model_uri: Path or URI of the model.
        dst_path: Folder in which the model gets a folder of its name. By default the model stays
            where it is if it is local, and is put into the cache of the environment store
            otherwise, whose files must not be changed.

    Returns:
        The path of the model's folder, or of its file.

    Raises:
        ModelNotFound: If there is no model.
        InvalidArgument: If nothing reads this kind of URI, or the destination holds something
            else.
        ToolNotFound: If a library that reads this kind of URI is not installed.
        InvalidFile: If an archive is damaged or hostile.
        PathOutsideModel: If a symbolic link leads out of the model.
    """
    model = fetched(model_uri) if is_elsewhere(model_uri) else _existing(model_uri)
    if dst_path is not None:
        model = copied(model, Path(dst_path).expanduser(), name_of(model_uri))
    return str(model)


def download_artifact(uri: str, folder: Path) -> Path:
    """Fetch a file or folder that is not a model into an empty folder; return its path there."""
    listing = _list(uri)
    if listing.is_file:
        listing.download(list(listing.entries), folder)
        return folder / listing.first_name
    target = folder / name_of(uri)
    target.mkdir(parents=True, exist_ok=True)
    listing.download(list(listing.entries), target)
    return target


def copied(model: Path, folder: Path, name: str) -> Path:
    """Copy a model into a folder under a name, whole or not at all; an equal copy is left alone.

    Raises `PathOutsideModel` if a symbolic link leads out of the model, and `InvalidArgument` if
    the destination is something else or cannot be written to.
    """
    _check_links(model)
    target = folder.absolute() / (name if model.is_dir() else model.name)
    if target.exists():
        if _sizes(target) != _sizes(model):
            raise InvalidArgument(
                f"{target} exists and is something else; name another folder, or remove it."
            )
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".part-", dir=folder, ignore_cleanup_errors=True
        ) as part:
            copy = Path(part, target.name)
            if model.is_dir():
                shutil.copytree(model, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(model, copy)
            copy.rename(target)
    except OSError as error:
        raise InvalidArgument(
            f"{folder} cannot be written to: {error.strerror or error}."
        ) from error
    return target


@dataclass(frozen=True, slots=True)
class _Listing:
    """The files at a URI."""

    uri: str | Path
    source: Source
    entries: Entries

    @property
    def first_name(self) -> str:
        """The name of the file, if the URI names a file."""
        return next(iter(self.entries))

    @property
    def is_file(self) -> bool:
        """Whether the URI names a file: sources list that one first."""
        if mlmodel.FILE_NAME in self.entries:
            return False
        path, _, _ = str(self.uri).partition("?")
        _, _, last = path.rstrip("/").rpartition("/")
        return self.first_name == last

    @property
    def has_tags(self) -> bool:
        """Whether the source shows when the content of each file changes."""
        return all(entry.tag for entry in self.entries.values())

    def download(self, names: Collection[str], folder: Path) -> None:
        """Fetch files into a folder; `ModelNotFound` if one is incomplete."""
        self.source.get(names, folder)
        for name in names:
            size = self.entries[name].size
            path = folder / name
            if not path.is_file() or (size is not None and path.stat().st_size != size):
                raise ModelNotFound(
                    shown(self.uri), f"{name} arrived incomplete; it may have changed meanwhile"
                )

    def version(self, names: Collection[str], description: bytes = b"") -> str:
        """Name a choice of files with their content; without tags `MLmodel` stands for that."""
        facts = []
        for name in sorted(names):
            entry = self.entries[name]
            facts.append([name, entry.size, entry.tag])
        content = json.dumps(facts).encode("utf-8", "surrogatepass") + description
        return hashlib.sha256(content).hexdigest()[:16]

    def is_intact(self, folder: Path, names: Collection[str]) -> bool:
        """Return whether cached files have their sizes: a crash may have cut them off."""
        sizes = _sizes(folder)
        for name in names:
            if name not in sizes or self.entries[name].size not in (None, sizes[name]):
                return False
        return True


def _list(uri: str | Path) -> _Listing:
    source = _source(uri)
    listing = _Listing(uri, source, source.entries())
    for name in listing.entries:
        _check_name(name, uri)
    return listing


def _source(uri: str | Path) -> Source:
    scheme = scheme_of(uri)
    if scheme == LOCAL:
        return _LocalArchive(local_path(uri).absolute())
    text = str(uri)
    # Each kind of place is imported only when it is used: urllib takes 80 ms, MLflow and
    # fsspec are optional.
    if scheme in MLFLOW:
        from envkit.models.uris.tracking import open_tracked

        return open_tracked(text)
    if scheme in HTTP:
        from envkit.models.uris import proxied, web

        if proxied.matches(text):
            return proxied.Proxied(text)
        return web.Web(text)
    from envkit.models.uris.filesystems import open_file_system

    return open_file_system(text)


def _cached(listing: _Listing, need: Need) -> Path:
    """Return a folder of the cache with the needed files, fetched if necessary."""
    place, name = key_of(listing.source.place), name_of(listing.uri)
    needed = need.of(listing.entries)
    description = b""
    if not listing.has_tags and mlmodel.FILE_NAME in listing.entries:
        description = _description(listing.source)
    version = None
    if listing.has_tags or description:
        # The whole model serves as well.
        for names in (frozenset(listing.entries), needed):
            folder = cache.find(place, listing.version(names, description), name)
            if folder is not None and listing.is_intact(folder, names):
                return folder
            if folder is not None:
                shutil.rmtree(folder.parent, ignore_errors=True)
        version = listing.version(needed, description)
    return cache.add(place, version, name, lambda folder: listing.download(needed, folder))


def _unpacked(listing: _Listing) -> Path:
    """Return a folder of the cache with the content of an archive."""
    place, name = key_of(listing.source.place), name_of(listing.uri)
    archive = listing.first_name

    def fill(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="envkit-", dir=folder.parent) as parent:
            listing.download({archive}, Path(parent))
            archives.extract(Path(parent, archive), folder, shown(listing.uri))

    version = None
    if listing.entries[archive].tag:
        version = listing.version({archive})
        if folder := cache.find(place, version, name):
            return folder
    return cache.add(place, version, name, fill)


def _description(source: Source) -> bytes:
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        source.get({mlmodel.FILE_NAME}, Path(folder))
        return Path(folder, mlmodel.FILE_NAME).read_bytes()


def _check_is_one_model(listing: _Listing) -> None:
    """Raise `ModelNotFound` for a folder of models, before all of them are fetched."""
    entries = listing.entries
    suffix = f"/{mlmodel.FILE_NAME}"
    inner = [name.removesuffix(suffix) for name in entries if name.endswith(suffix)]
    if not inner or mlmodel.FILE_NAME in entries or any(map(_is_artifact_name, entries)):
        return
    nearest = min(inner, key=len)
    raise ModelNotFound(
        shown(listing.uri), f"the folder has no MLmodel file; there is one in {nearest}/ below it"
    )


def _is_artifact_name(name: str) -> bool:
    return "/" not in name and Path(name).suffix.lower() in SUFFIXES


def _check_name(name: str, uri: str | Path) -> None:
    # An absolute path has an empty first part.
    if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
        raise InvalidFile(shown(uri), name, "is empty or leads out of the model")


def _check_links(model: Path) -> None:
    root = model.resolve()
    for path in model.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise PathOutsideModel(model, "a symbolic link", str(path.relative_to(model)))


def _existing(uri: str | Path) -> Path:
    path = local_path(uri)
    if not path.exists():
        raise ModelNotFound(str(path), "there is no such directory")
    return path


def _sizes(place: Path) -> dict[str, int]:
    """Return the sizes of a folder's files by relative path, or of a file under an empty name."""
    if place.is_file():
        return {"": place.stat().st_size}
    sizes = {}
    for path in place.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            sizes[path.relative_to(place).as_posix()] = path.stat().st_size
    return sizes


@dataclass(frozen=True, slots=True)
class _LocalArchive:
    """A local archive, as a `Source`."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def entries(self) -> Entries:
        status = self.path.stat()
        tag = f"{status.st_mtime_ns}-{status.st_ino}"
        return {self.path.name: Entry(size=status.st_size, tag=tag)}

    def get(self, names: Collection[str], into: Path) -> None:
        del names
        shutil.copyfile(self.path, into / self.path.name)
