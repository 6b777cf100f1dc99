"""Models on web servers. A server need not tell what a folder holds: then the model itself must.

A folder is taken from the page that lists it, as Apache, nginx and `python -m http.server` make it.
Without such a page `MLmodel`, and the evidence of a capture, name the files; folders that they name
cannot be fetched so.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from envkit.errors import ModelNotFound
from envkit.formats import envkit_json, mlmodel
from envkit.formats.document import Document
from envkit.models.named_paths import named_paths
from envkit.models.uris.naming import archive_suffix, shown
from envkit.models.uris.required_files import ENVIRONMENT, Entries, Entry
from envkit.models.uris.source import told
from envkit.models.uris.threads import for_each

_SECONDS = 60.0  # of silence
_MOST_FILES = 20_000
_LONGEST_PAGE = 10_000_000
_OF_FLAVORS = ("code", "data", "model_path", "pickled_model")  # what they call paths
_ABSENT = {403, 404, 410}


class _Refused(Exception):
    """The server answers with an error."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"HTTP {code} {reason}")
        self.code = code


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if tag == "a" and name == "href" and value]


@dataclass(frozen=True, slots=True)
class Web:
    """A file, or a folder of files, at a URL."""

    uri: str

    @property
    def place(self) -> str:
        """See `Source`."""
        return shown(self.uri)

    def entries(self) -> Entries:
        """See `Source`."""
        with told(self.uri, "listed"):
            if archive_suffix(self.uri):
                return {_last(self.uri): self._head(self.uri)}
            listed = list(self._listed("", set()))
            if mlmodel.FILE_NAME in listed:
                names = listed
            else:
                names = list(self._named())
            if names:
                return dict(zip(names, self._heads(names), strict=True))
            return self._artifact(listed)

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        with told(self.uri, "fetched"):
            if mlmodel.FILE_NAME not in names and set(names) == {_last(self.uri)}:
                self._download(self.uri, into / _last(self.uri))
                return
            for_each(sorted(names), lambda name: self._download(self._url(name), into / name))

    def _download(self, url: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.open(url) as answer, target.open("xb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
            promised = answer.headers.get("Content-Length", "")
            if promised.isdigit() and file.tell() != int(promised):
                raise ConnectionError(
                    f"the answer was cut off after {file.tell()} of {promised} bytes"
                )

    def _artifact(self, listed: list[str]) -> Entries:
        """The URL of a bare artifact, or of a folder with one."""
        if listed:
            return dict(zip(listed, self._heads(listed), strict=True))
        return {_last(self.uri): self._head(self.uri)}

    def _listed(self, folder: str, seen: set[str]) -> Iterator[str]:
        """Yield the files below a folder of the server, as its pages list them; none without such pages."""
        seen.add(folder)
        for name in self._links(folder):
            if len(seen) > _MOST_FILES:
                raise ModelNotFound(
                    shown(self.uri), f"the server lists more than {_MOST_FILES} files"
                )
            if name in seen:
                continue
            if name.endswith("/"):
                yield from self._listed(name, seen)
            else:
                seen.add(name)
                yield name

    def _links(self, folder: str) -> list[str]:
        url = self._url(folder)
        try:
            with self.open(url) as answer:
                if "html" not in answer.headers.get("Content-Type", ""):
                    return []
                text = answer.read(_LONGEST_PAGE).decode("utf-8", "replace")
        except _Refused as error:
            if error.code in _ABSENT:
                return []
            raise
        page = _Links()
        page.feed(text)
        found = (_below(url, self._url(""), each) for each in page.targets)
        return sorted(
            {
                name
                for name in found
                if name != folder and name.startswith(folder) and _stays_inside(name)
            }
        )

    def _named(self) -> Iterator[str]:
        """Yield the files that the model itself names, where the server lists none."""
        content = self._text(mlmodel.FILE_NAME)
        if content is None:
            return
        yield mlmodel.FILE_NAME
        recorded = self._recorded()
        usual = {name for name in ENVIRONMENT.names if "*" not in name}
        needed = {*recorded, *(() if recorded else _fields(content))} - {mlmodel.FILE_NAME}
        for name in sorted(needed | usual):
            if self._exists(name):
                yield name
            elif name in needed:
                raise ModelNotFound(shown(self.uri), _unlisted(name))

    def _recorded(self) -> frozenset[str]:
        """Give the files that a capture saw, and the wheels that it made; empty for a model without evidence."""
        text = self._text(envkit_json.FILE_NAME)
        try:
            content = json.loads(text) if text is not None else {}
            wheels = (each.get("wheel") for each in content.get("distributions", ()))
            made = {
                str(each["path"]) for each in wheels if isinstance(each, dict) and "path" in each
            }
            return frozenset(filter(_stays_inside, {*map(str, content.get("files") or ()), *made}))
        except (ValueError, AttributeError, TypeError, RecursionError):
            return frozenset()

    def _text(self, name: str) -> bytes | None:
        try:
            with self.open(self._url(name)) as answer:
                return bytes(answer.read(_LONGEST_PAGE))
        except _Refused as error:
            if error.code in _ABSENT:
                return None
            raise

    def _exists(self, name: str) -> bool:
        try:
            self._head(self._url(name))
        except FileNotFoundError:
            return False
        return True

    def _heads(self, names: list[str]) -> list[Entry]:
        return for_each(names, lambda name: self._head(self._url(name)))

    def _head(self, url: str) -> Entry:
        try:
            with self.open(url, method="HEAD") as answer:
                size = answer.headers.get("Content-Length")
                tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
                return Entry(size=int(size) if size and size.isdigit() else None, tag=tag)
        except _Refused as error:
            if error.code in _ABSENT:
                raise FileNotFoundError(url) from None
            if error.code in (405, 501):  # the server answers GET alone
                return Entry()
            raise

    def _url(self, name: str) -> str:
        parts = urlsplit(self.uri)
        return urlunsplit(
            (parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{quote(name)}", parts.query, "")
        )

    def open(self, url: str, method: str = "GET") -> Any:
        """Ask for a URL, with the login of this one. Raises `OSError`, or what tells the server's error."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        request = Request(urlunsplit((*parts[:1], host, *parts[2:])), method=method)  # noqa: S310 - http or https
        if parts.username is not None:  # not handed on when the server sends elsewhere
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            request.add_unredirected_header(
                "Authorization", f"Basic {base64.b64encode(login.encode()).decode()}"
            )
        try:
            return urlopen(request, timeout=_SECONDS)  # noqa: S310
        except HTTPError as error:
            error.close()
            raise _Refused(error.code, str(error.reason)) from None
        except URLError as error:
            raise ConnectionError(str(error.reason)) from None
        except HTTPException as error:
            raise ConnectionError(type(error).__name__) from None


def _fields(content: bytes) -> set[str]:
    """Give the paths inside the model that the text of an `MLmodel` names. Raises `InvalidFile`."""
    found = mlmodel.of(Document.parse(content.decode("utf-8", "replace"), Path(mlmodel.FILE_NAME)))
    values = [value for _, value in named_paths(found)]
    flavors = (each for each in found.flavors.values() if isinstance(each, Mapping))
    values += [
        value for each in flavors for key in _OF_FLAVORS if isinstance(value := each.get(key), str)
    ]
    return {name for value in values if _stays_inside(name := re.sub(r"^(\./)+|/+$", "", value))}


def _stays_inside(name: str) -> bool:
    """Whether it is worth to ask for a name: what leads out is refused when the model is opened."""
    return bool(name) and not name.startswith("/") and not {".", ".."} & set(name.split("/"))


def _unlisted(name: str) -> str:
    return (
        f"the server lists no files, and {name}, which the model needs, is a folder or not there. Let the server list "
        "the folder, or give the model as one archive (.tar.gz, .zip)"
    )


def _below(page: str, root: str, link: str) -> str:
    """Give the path below `root` that a link on a page leads to; empty when it leads elsewhere."""
    target, base = urlsplit(urljoin(page, link)), urlsplit(root)
    same = (target.scheme, target.hostname, target.port) == (base.scheme, base.hostname, base.port)
    if not same or target.query not in ("", base.query) or not target.path.startswith(base.path):
        return ""
    return unquote(target.path[len(base.path) :])


def _last(uri: str) -> str:
    return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2])
