"""Artifacts that MLflow's server hands on by HTTP: URLs below its `/api/2.0/mlflow-artifacts/artifacts`.

https://mlflow.org/docs/latest/api_reference/rest-api.html. No client of MLflow is needed for them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from envkit.models.uris.naming import shown
from envkit.models.uris.required_files import Entries, Entry
from envkit.models.uris.source import told
from envkit.models.uris.web import Web

_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def is_one(uri: str) -> bool:
    """Whether a URL leads to such artifacts."""
    return f"{_ARTIFACTS}/" in urlsplit(uri).path


class Proxied:
    """A folder of artifacts. The login of the tracking server is used when the URL leads to that server."""

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
        with told(self.uri, "listed"):
            return dict(self._walk(api, unquote(root.strip("/")), "")) or self._web.entries()

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        self._web.get(names, into)

    def _walk(self, api: str, root: str, folder: str) -> Iterator[tuple[str, Entry]]:
        with self._web.open(
            f"{api}?{urlencode({'path': f'{root}/{folder}'.rstrip('/')})}"
        ) as answer:
            listed = json.load(answer).get("files") or ()
        for each in listed:
            name = f"{folder}/{each['path']}".lstrip("/")
            if each.get("is_dir"):
                yield from self._walk(api, root, name)
            else:
                size = each.get("file_size")
                yield name, Entry(size=int(size) if size is not None else None)


def _with_login(uri: str) -> str:
    parts, server = urlsplit(uri), urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if parts.username is not None or (parts.scheme, parts.netloc) != (
        server.scheme,
        server.netloc.rpartition("@")[2],
    ):
        return uri
    login = server.netloc.rpartition("@")[0]
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        login = f"{quote(user, safe='')}:{quote(os.environ.get('MLFLOW_TRACKING_PASSWORD', ''), safe='')}"
    if login:
        return urlunsplit((*parts[:1], f"{login}@{parts.netloc}", *parts[2:]))
    return uri
