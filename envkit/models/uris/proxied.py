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
        parts = urlsplit(self._web.uri)
        before, _, root = parts.path.partition(f"{_ARTIFACTS}/")
        api = urlunsplit((parts.scheme, parts.netloc, before + _ARTIFACTS, "", ""))
        with errors_of(self.uri, "listed"):
            entries = dict(self._walk(api, unquote(root.strip("/")), ""))
            # The URL of a file lists nothing.
            return entries or self._web.entries()

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        self._web.get(names, into)

    def _walk(self, api: str, root: str, folder: str) -> Iterator[tuple[str, Entry]]:
        for item in self._listed(api, f"{root}/{folder}".rstrip("/")):
            name = f"{folder}/{item['path']}".lstrip("/")
            if item.get("is_dir"):
                yield from self._walk(api, root, name)
            else:
                size = item.get("file_size")
                yield name, Entry(size=None if size is None else int(size))

    def _listed(self, api: str, path: str) -> list[dict[str, Any]]:
        with self._web.open(f"{api}?{urlencode({'path': path})}") as answer:
            return json.load(answer).get("files") or []


def _with_login(uri: str) -> str:
    parts = urlsplit(uri)
    server = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    login, _, host = server.netloc.rpartition("@")
    if parts.username is not None or (parts.scheme, parts.netloc) != (server.scheme, host):
        return uri
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        password = os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    if not login:
        return uri
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))
