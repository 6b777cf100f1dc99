"""Models in whatever fsspec reads: object stores, Hugging Face, memory and others.

Protocols: https://filesystem-spec.readthedocs.io/en/latest/api.html#built-in-implementations.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, ToolNotFound
from envkit.formats import mlmodel
from envkit.models.uris.naming import scheme_of, shown
from envkit.models.uris.required_files import ENVIRONMENT, Entries, Entry
from envkit.models.uris.source import errors_of

# Extra of envkit that reads a scheme.
_EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
    "hf": "hf",
}
# What the libraries call a value that changes with the content, best first.
_TAG_KEYS = (
    "ETag",
    "etag",
    "md5Hash",
    "content_md5",
    "sha256",
    "checksum",
    "blob_id",
    "mtime",
    "LastModified",
    "last_modified",
    "modified",
    "created",
)
_NEXT_TO_ARTIFACT = ENVIRONMENT.names | {"input_example.json", "serving_input_example.json"}


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A folder or a file of an fsspec file system.

    library: the file system. root: the path in it.
    """

    uri: str
    library: Any
    root: str

    @property
    def place(self) -> str:
        """See `Source`."""
        return shown(self.uri)

    def entries(self) -> Entries:
        """See `Source`."""
        with errors_of(self.uri, "listed"):
            self.library.invalidate_cache()
            infos = self.library.find(self.root, detail=True)
            if self.root in infos:
                return dict(self._file(infos[self.root]))
            entries = dict(self._files(infos))
            if not entries:
                raise FileNotFoundError(self.uri)
            return entries

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        is_file = self._name in names and mlmodel.FILE_NAME not in names
        folder = self._parent if is_file else self.root.rstrip("/")
        remote, local = [], []
        for name in sorted(names):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            remote.append(f"{folder}/{name}")
            local.append(str(into / name))
        with errors_of(self.uri, "fetched"):
            self.library.get(remote, local)

    @property
    def _name(self) -> str:
        return self.root.rpartition("/")[2]

    @property
    def _parent(self) -> str:
        return self.root.rpartition("/")[0]

    def _files(self, infos: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Entry]]:
        start = len(self.root.rstrip("/")) + 1
        for path, info in infos.items():
            if info.get("type") != "directory":
                yield path[start:], _entry(info)

    def _file(self, info: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """Yield a bare artifact, then the files next to it whose names belong to a model."""
        yield self._name, _entry(info)
        for neighbour in self.library.ls(self._parent, detail=True):
            name = str(neighbour["name"]).rpartition("/")[2]
            if name in _NEXT_TO_ARTIFACT and neighbour.get("type") == "file":
                yield name, _entry(neighbour)


def open_file_system(uri: str) -> FileSystem:
    """Open the file system of a URI.

    Raises `ToolNotFound`, which names the extra to install, and `InvalidArgument` for a scheme
    that nothing reads.
    """
    scheme = scheme_of(uri)
    try:
        # An optional dependency.
        import fsspec
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(scheme, "remote")
        raise ToolNotFound(
            "fsspec", f"Install it to read {scheme}:// URIs: `pip install 'envkit[{extra}]'`."
        ) from error
    _silence("azure", "gcsfs")
    if "://" not in uri:
        raise _unknown_scheme(uri)
    with errors_of(uri, "reached"):
        try:
            library, root = fsspec.core.url_to_fs(uri, **_settings(scheme))
        except ImportError as error:
            raise _missing_library(scheme, f"{str(error).rstrip('.')}.") from error
        except ValueError as error:
            if "rotocol not known" not in str(error):
                raise
            if scheme not in _EXTRAS:
                raise _unknown_scheme(uri) from error
            raise _missing_library(scheme) from error
    return FileSystem(uri, library, root)


def _missing_library(scheme: str, remedy: str = "") -> ToolNotFound:
    """Return the error that names envkit's extra, or else what fsspec says."""
    if scheme in _EXTRAS:
        remedy = f"Install it: `pip install 'envkit[{_EXTRAS[scheme]}]'`."
    return ToolNotFound(f"The library that reads {scheme}:// URIs", remedy)


def _unknown_scheme(uri: str) -> InvalidArgument:
    return InvalidArgument(
        f"envkit cannot read {scheme_of(uri)}: URIs ({shown(uri)}). Use a local path, or a URI "
        "that MLflow or fsspec knows: s3://, gs://, abfss://, hf://, https://, runs:/, models:/ …"
    )


def _silence(*libraries: str) -> None:
    """Keep libraries from logging each failure to standard error, unless the program logs."""
    for logger in map(logging.getLogger, libraries):
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _settings(scheme: str) -> dict[str, Any]:
    """Return what MLflow's variable for endpoints sets; the libraries read their own variables."""
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    if scheme in ("s3", "s3a") and endpoint:
        return {"endpoint_url": endpoint}
    return {}


def _entry(info: Mapping[str, Any]) -> Entry:
    tag = next((str(info[key]) for key in _TAG_KEYS if info.get(key)), "")
    size = info.get("size")
    return Entry(size=None if size is None else int(size), tag=tag)
