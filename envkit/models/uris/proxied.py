"""Artifacts that an MLflow server passes on by HTTP, below `/api/2.0/mlflow-artifacts/artifacts`.

https://mlflow.org/docs/latest/api_reference/rest-api.html. They need no client of MLflow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from envkit.models.uris.naming import shown
from envkit.models.uris.required_files import Entries, Entry
from envkit.models.uris.source import errors_of
from envkit.models.uris.web import Web

_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def matches(uri: str) -> bool:
    """Return whether a URL leads to such artifacts."""
    return f"{_ARTIFACTS}/" in urlsplit(uri).path


class Proxied:
    """A folder of artifacts; the tracking server's login is used for URLs of that server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._web = Web(_with_login(uri))

    @property
    def place(self) -> str:
        """See `Source`."""
        return shown(self.uri)

    def entries(self) -> Entries:
        """See `Source`."""
        with errors_of(self.uri, "listed"):
            entries = dict(self._walk(""))
            # The URL of a file lists nothing.
            return entries or self._web.entries()

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        self._web.get(names, into)

    def _walk(self, folder: str) -> Iterator[tuple[str, Entry]]:
        """Yield the files below a folder, by their path in the model."""
        for item in self._listed(folder):
            name = f"{folder}/{item['path']}".lstrip("/")
            if item.get("is_dir"):
                yield from self._walk(name)
                continue
            size = item.get("file_size")
            yield name, Entry(size=None if size is None else int(size))

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        """Return what the server lists in a folder of the model."""
        url = urlsplit(self._web.uri)
        prefix, _, root = url.path.partition(f"{_ARTIFACTS}/")
        path = f"{unquote(root.strip('/'))}/{folder}".rstrip("/")
        query = urlencode({"path": path})
        api = url._replace(path=prefix + _ARTIFACTS, query=query, fragment="")
        with self._web.open(urlunsplit(api)) as answer:
            return json.load(answer).get("files") or []


def _with_login(uri: str) -> str:
    """Add the tracking server's login to a URL of that server that has none."""
    parts = urlsplit(uri)
    server = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    login, _, host = server.netloc.rpartition("@")
    is_of_server = (parts.scheme, parts.netloc) == (server.scheme, host)
    if parts.username is not None or not is_of_server:
        return uri
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        password = os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    if not login:
        return uri
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))
