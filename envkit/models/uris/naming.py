"""What a text that names a model is: a path, an archive, or a URI of some scheme; and how it may be shown."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envkit.errors import InvalidArgument
from envkit.formats.credentials import without_credentials

LOCAL = "file"
MLFLOW = frozenset({"runs", "models", "mlflow-artifacts"})
HTTP = frozenset({"http", "https"})
ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip")
# their `container@account` is no login
_CONTAINER_AT_HOST = ("abfs://", "abfss://", "wasb://", "wasbs://")


def scheme_of(uri: str | Path) -> str:
    """Give the scheme in lower case, `file` for a path. What lies on the disk under that very name is a path."""
    text = str(uri)
    if isinstance(uri, str):
        found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", text)
    else:
        found = None
    if found is None or os.path.lexists(text):
        return LOCAL
    return found[1].lower()


def local_path(uri: str | Path) -> Path:
    """Give the path that a path or a `file:` URI names. Raises `InvalidArgument` for another host's."""
    text = str(uri)
    if not isinstance(uri, str) or not text.lower().startswith("file:") or os.path.lexists(text):
        return Path(text).expanduser()
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise InvalidArgument(
            f"{text} names the host {parts.netloc}. For a local path write file:///path."
        )
    return Path(unquote(parts.path))


def archive_suffix(uri: str | Path) -> str:
    """Give the end of the name that tells an archive, empty for anything else."""
    if scheme_of(uri) == LOCAL:
        path = str(uri)
    else:
        path = _without_query(str(uri))
    return next((suffix for suffix in ARCHIVES if path.lower().endswith(suffix)), "")


def shown(uri: str | Path) -> str:
    """Give the URI as it may be printed and written: without user name, password, and what follows a `?`."""
    text = str(uri)
    if scheme_of(uri) == LOCAL:
        return text
    bare = _without_query(text)
    if bare.lower().startswith(_CONTAINER_AT_HOST):
        kept = bare
    else:
        kept = without_credentials(bare)
    return kept + ("?…" if bare != text else "")


def without_secrets(message: str, uri: str) -> str:
    """Take out of a library's message what the URI must not show."""
    parts = urlsplit(uri)
    secrets = [uri, parts.query, *(each for each in (parts.password, parts.username) if each)]
    if uri.lower().startswith(_CONTAINER_AT_HOST):
        secrets = [parts.query]
    for each in filter(None, secrets):
        message = message.replace(each, shown(uri) if each == uri else "***")
    if uri.lower().startswith(_CONTAINER_AT_HOST):
        return message
    return without_credentials(message)


def name_of(uri: str | Path) -> str:
    """Give what the model is called: the last part of its place, or its registered name."""
    text = _without_query(str(uri)).rstrip("/")
    if scheme_of(uri) == "models":
        last = re.split(r"[/@]", text.partition(":")[2].strip("/"))[0]
    else:
        last = unquote(text.rpartition("/")[2].rpartition(":")[2])
    suffix = archive_suffix(uri)
    plain = re.sub(r"[^\w.-]", "_", last[: len(last) - len(suffix)] if suffix else last).strip(".")
    return plain or "model"


def key_of(place: str) -> str:
    """Give a short name for a place."""
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _without_query(uri: str) -> str:
    if "://" in uri:
        return uri.partition("?")[0]
    return uri
