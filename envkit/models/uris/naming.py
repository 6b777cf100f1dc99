"""What kind of place a path or URI names, what the model there is called, and how to show it."""

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
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
# The part before `@` of `abfss://container@account` is not a user name.
_CONTAINER_AT_HOST = ("abfs://", "abfss://", "wasb://", "wasbs://")


def scheme_of(uri: str | Path) -> str:
    """Return the scheme in lower case, `file` for a path, which may contain a colon."""
    if not isinstance(uri, str):
        return LOCAL
    scheme = _SCHEME.match(uri)
    if scheme is None or os.path.lexists(uri):
        return LOCAL
    return scheme[1].lower()


def local_path(uri: str | Path) -> Path:
    """Return the path that a path or a `file:` URI names; `InvalidArgument` for another host's."""
    if isinstance(uri, Path):
        return uri.expanduser()
    is_file_uri = uri.lower().startswith("file:")
    if not is_file_uri or os.path.lexists(uri):
        return Path(uri).expanduser()
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise InvalidArgument(
            f"{uri} names the host {parts.netloc}. For a local path write file:///path."
        )
    return Path(unquote(parts.path))


def archive_suffix(uri: str | Path) -> str:
    """Return the suffix of an archive, such as `.tar.gz`; empty for other names."""
    path = str(uri)
    if scheme_of(uri) != LOCAL:
        path = _without_query(path)
    lower = path.lower()
    return next((suffix for suffix in ARCHIVES if lower.endswith(suffix)), "")


def shown(uri: str | Path) -> str:
    """Return the URI as messages and files may hold it: without user name, password and query."""
    text = str(uri)
    if scheme_of(uri) == LOCAL:
        return text
    plain = _without_query(text)
    query = "?…" if plain != text else ""
    if not _has_container_at_host(plain):
        plain = without_credentials(plain)
    return plain + query


def without_secrets(message: str, uri: str) -> str:
    """Return a library's message without what the URI must not show."""
    parts = urlsplit(uri)
    # There the user name is a container.
    if _has_container_at_host(uri):
        return _masked(message, parts.query)
    message = message.replace(uri, shown(uri))
    for secret in (parts.query, parts.password, parts.username):
        message = _masked(message, secret)
    return without_credentials(message)


def name_of(uri: str | Path) -> str:
    """Return the name of the model: the last part of its path, or its registered name."""
    text = _without_query(str(uri)).rstrip("/")
    if scheme_of(uri) == "models":
        # models:/<name>/<version or stage>, models:/<name>@<alias>, models:/<model id>
        _, _, path = text.partition(":")
        last = re.split(r"[/@]", path.strip("/"))[0]
    else:
        last = unquote(text.rpartition("/")[2].rpartition(":")[2])
    name = last[: len(last) - len(archive_suffix(uri))]
    return re.sub(r"[^\w.-]", "_", name).strip(".") or "model"


def key_of(place: str) -> str:
    """Return a short name for a place, which is a file name."""
    content = place.encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[:16]


def _without_query(uri: str) -> str:
    if "://" in uri:
        return uri.partition("?")[0]
    return uri


def _has_container_at_host(uri: str) -> bool:
    return uri.lower().startswith(_CONTAINER_AT_HOST)


def _masked(message: str, secret: str | None) -> str:
    if not secret:
        return message
    return message.replace(secret, "***")
