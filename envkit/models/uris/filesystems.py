"""Models in whatever fsspec reaches: object stores, Hugging Face, memory …

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
from envkit.models.uris.source import told

_EXTRAS = {
    "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure", "hf": "hf",
}  # fmt: skip
_TAGS = (
    "ETag", "etag", "md5Hash", "content_md5", "sha256", "checksum", "blob_id", "mtime", "LastModified",
    "last_modified", "modified", "created",
)  # fmt: skip
_BESIDE_AN_ARTIFACT = ("input_example.json", "serving_input_example.json")


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A folder, or a file, of one of fsspec's file systems."""

    uri: str
    library: Any
    root: str

    @property
    def place(self) -> str:
        """See `Source`."""
        return shown(self.uri)

    def entries(self) -> Entries:
        """See `Source`."""
        with told(self.uri, "listed"):
            self.library.invalidate_cache()
            found = self.library.find(self.root, detail=True)
            if self.root in found:
                return dict(self._one_file(found[self.root]))
            start = len(self.root.rstrip("/")) + 1
            listed = {
                name[start:]: _entry(info)
                for name, info in found.items()
                if info.get("type") != "directory"
            }
            if not listed:
                raise FileNotFoundError(self.uri)
            return listed

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        if self._is_file(names):
            folder = self._parent
        else:
            folder = self.root.rstrip("/")
        ordered = sorted(names)
        for name in ordered:
            (into / name).parent.mkdir(parents=True, exist_ok=True)
        with told(self.uri, "fetched"):
            self.library.get(
                [f"{folder}/{name}" for name in ordered], [str(into / name) for name in ordered]
            )

    @property
    def _parent(self) -> str:
        return self.root.rpartition("/")[0]

    def _is_file(self, names: Collection[str]) -> bool:
        return self.root.rpartition("/")[2] in names and mlmodel.FILE_NAME not in names

    def _one_file(self, info: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
        """A bare artifact comes with the files beside it that belong to it by their names."""
        yield self.root.rpartition("/")[2], _entry(info)
        wanted = {*ENVIRONMENT.names, *_BESIDE_AN_ARTIFACT}
        for each in self.library.ls(self._parent, detail=True):
            name = str(each["name"]).rpartition("/")[2]
            if name in wanted and each.get("type") == "file":
                yield name, _entry(each)


def open_file_system(uri: str) -> FileSystem:
    """Reach the place of a URI. Raises `ToolNotFound` that names the extra, `InvalidArgument` for unknown schemes."""
    scheme = scheme_of(uri)
    extra = _EXTRAS.get(scheme, "remote")
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            "fsspec", f"{scheme}:// needs it: `pip install 'envkit[{extra}]'`."
        ) from error
    _hush("azure", "gcsfs")
    if "://" not in uri:
        raise _unknown(uri)
    with told(uri, "reached"):
        try:
            library, root = fsspec.core.url_to_fs(uri, **_settings(scheme))
        except ImportError as error:
            if scheme in _EXTRAS:
                remedy = f"`pip install 'envkit[{extra}]'`."
            else:
                remedy = f"{str(error).rstrip('.')}."
            raise ToolNotFound(f"What reads {scheme}://", remedy) from error
        except ValueError as error:
            if "rotocol not known" not in str(error):
                raise
            if scheme in _EXTRAS:
                raise ToolNotFound(
                    f"What reads {scheme}://", f"`pip install 'envkit[{extra}]'`."
                ) from error
            raise _unknown(uri) from error
    return FileSystem(uri, library, root)


def _unknown(uri: str) -> InvalidArgument:
    return InvalidArgument(
        f"envkit cannot read {scheme_of(uri)}: URIs ({shown(uri)}). Give a local path, or a URI that MLflow or fsspec "
        "knows: s3://, gs://, abfss://, hf://, https://, runs:/, models:/ …"
    )


def _hush(*libraries: str) -> None:
    """Keep what libraries log of each failure, with tracebacks, from standard error where no program asks for logs."""
    for logger in map(logging.getLogger, libraries):
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _settings(scheme: str) -> dict[str, Any]:
    """MLflow's own variable for endpoints counts, too; all others are those of the libraries."""
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    if scheme in ("s3", "s3a") and endpoint:
        return {"endpoint_url": endpoint}
    return {}


def _entry(info: Mapping[str, Any]) -> Entry:
    tag = next((str(info[key]) for key in _TAGS if info.get(key)), "")
    size = info.get("size")
    return Entry(size=int(size) if size is not None else None, tag=tag)
