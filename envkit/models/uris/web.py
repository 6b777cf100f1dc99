"""Models on web servers, which may not list the files of a folder.

A folder is read from the page that lists it, as Apache, nginx and `python -m http.server` write
it. Without such a page `MLmodel` and the evidence of a capture name the files; folders that they
name cannot be fetched then.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import OpenerDirector, Request, build_opener

from envkit.errors import ModelNotFound
from envkit.formats import envkit_json, mlmodel
from envkit.formats.document import Document
from envkit.models.named_paths import named_paths
from envkit.models.uris.naming import archive_suffix, shown
from envkit.models.uris.redirects import Redirects
from envkit.models.uris.required_files import ENVIRONMENT, Entries, Entry
from envkit.models.uris.source import errors_of
from envkit.models.uris.threads import for_each

_SILENCE_SECONDS = 60.0
_MOST_FILES = 20_000
_LONGEST_PAGE = 10_000_000  # bytes
_ABSENT = {403, 404, 410}
_ONLY_GET = {405, 501}
# What may surround a path without changing it.
_SURROUNDINGS = re.compile(r"^(\./)+|/+$")
# Fields of flavors that name paths.
_PATH_FIELDS = ("code", "data", "model_path", "pickled_model")


class _HttpStatus(Exception):
    """The server answers with an error status."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"HTTP {code} {reason}")
        self.code = code


class _Links(HTMLParser):
    """Collects the targets of the links on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if tag == "a" and target:
            self.targets.append(target)


def _new_opener() -> OpenerDirector:
    return build_opener(Redirects)


@dataclass(frozen=True, slots=True)
class Web:
    """A file, or a folder of files, at a URL."""

    uri: str
    _opener: OpenerDirector = field(
        default_factory=_new_opener, init=False, repr=False, compare=False
    )

    @property
    def place(self) -> str:
        """See `Source`."""
        return shown(self.uri)

    def entries(self) -> Entries:
        """See `Source`."""
        with errors_of(self.uri, "listed"):
            if archive_suffix(self.uri):
                return self._file()
            listed = list(self._listed("", set()))
            if mlmodel.FILE_NAME in listed:
                return self._entries_of(listed)
            if named := list(self._named()):
                return self._entries_of(named)
            # A folder with a bare artifact, or the URL of one.
            return self._entries_of(listed) if listed else self._file()

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        last = _last_part(self.uri)
        with errors_of(self.uri, "fetched"):
            if mlmodel.FILE_NAME not in names and set(names) == {last}:
                self._download(self.uri, into / last)
                return

            def download(name: str) -> None:
                self._download(self._url(name), into / name)

            for_each(sorted(names), download)

    def open(self, url: str, method: str = "GET") -> Any:
        """Request a URL with the login of this one; raise `OSError` or `_HttpStatus`."""
        parts = urlsplit(url)
        _, _, host = parts.netloc.rpartition("@")
        plain_url = urlunsplit(parts._replace(netloc=host))
        request = Request(plain_url, method=method)  # noqa: S310 - http or https
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            encoded = base64.b64encode(login.encode()).decode()
            # Not passed on if the server redirects elsewhere.
            request.add_unredirected_header("Authorization", f"Basic {encoded}")
        try:
            return self._opener.open(request, timeout=_SILENCE_SECONDS)
        except HTTPError as error:
            error.close()
            raise _HttpStatus(error.code, str(error.reason)) from None
        except URLError as error:
            raise ConnectionError(str(error.reason)) from None
        except HTTPException as error:
            raise ConnectionError(type(error).__name__) from None

    def _download(self, url: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.open(url) as answer, target.open("xb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
            expected = answer.headers.get("Content-Length", "")
            if expected.isdigit() and file.tell() != int(expected):
                raise ConnectionError(
                    f"the answer was cut off after {file.tell()} of {expected} bytes"
                )

    def _file(self) -> Entries:
        return {_last_part(self.uri): self._entry(self.uri)}

    def _entries_of(self, names: list[str]) -> Entries:
        def entry(name: str) -> Entry:
            return self._entry(self._url(name))

        entries = for_each(names, entry)
        return dict(zip(names, entries, strict=True))

    def _listed(self, folder: str, seen: set[str]) -> Iterator[str]:
        """Yield the files below a folder as the server's pages list them; none without pages."""
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
        """Return the paths in the model to which the page of a folder links."""
        url, root = self._url(folder), self._url("")
        try:
            with self.open(url) as answer:
                if "html" not in answer.headers.get("Content-Type", ""):
                    return []
                text = answer.read(_LONGEST_PAGE).decode("utf-8", "replace")
        except _HttpStatus as error:
            if error.code in _ABSENT:
                return []
            raise
        page = _Links()
        page.feed(text)
        names = set()
        for target in page.targets:
            name = _path_below(root, urljoin(url, target))
            if name != folder and name.startswith(folder) and _stays_inside(name):
                names.add(name)
        return sorted(names)

    def _named(self) -> Iterator[str]:
        """Yield the files that the model itself names, for servers that list none."""
        content = self._content(mlmodel.FILE_NAME)
        if content is None:
            return
        yield mlmodel.FILE_NAME
        required = self._recorded_files() or _files_in_fields(content)
        usual = {name for name in ENVIRONMENT.names if "*" not in name}
        for name in sorted((required | usual) - {mlmodel.FILE_NAME}):
            if self._exists(name):
                yield name
            elif name in required:
                raise ModelNotFound(
                    shown(self.uri),
                    f"the server lists no files, and {name}, which the model needs, is a folder or "
                    "absent. Let the server list the folder, or provide the model as one archive "
                    "(.tar.gz, .zip)",
                )

    def _recorded_files(self) -> set[str]:
        """Return the files that a capture saw, and its wheels; empty without evidence."""
        text = self._content(envkit_json.FILE_NAME)
        if text is None:
            return set()
        try:
            evidence = json.loads(text)
            files = set(map(str, evidence.get("files") or ()))
            for distribution in evidence.get("distributions", ()):
                wheel = distribution.get("wheel")
                if isinstance(wheel, dict) and "path" in wheel:
                    files.add(str(wheel["path"]))
        except (ValueError, AttributeError, TypeError, RecursionError):
            return set()
        return set(filter(_stays_inside, files))

    def _content(self, name: str) -> bytes | None:
        try:
            with self.open(self._url(name)) as answer:
                return bytes(answer.read(_LONGEST_PAGE))
        except _HttpStatus as error:
            if error.code in _ABSENT:
                return None
            raise

    def _exists(self, name: str) -> bool:
        try:
            self._entry(self._url(name))
        except FileNotFoundError:
            return False
        return True

    def _entry(self, url: str) -> Entry:
        """Return size and tag of a file, without its content."""
        try:
            with self.open(url, method="HEAD") as answer:
                headers = answer.headers
        except _HttpStatus as error:
            if error.code in _ABSENT:
                raise FileNotFoundError(url) from None
            if error.code in _ONLY_GET:
                return Entry()
            raise
        size = headers.get("Content-Length") or ""
        tag = headers.get("ETag") or headers.get("Last-Modified") or ""
        return Entry(size=int(size) if size.isdigit() else None, tag=tag)

    def _url(self, name: str) -> str:
        parts = urlsplit(self.uri)
        path = f"{parts.path.rstrip('/')}/{quote(name)}"
        return urlunsplit(parts._replace(path=path, fragment=""))


def _files_in_fields(content: bytes) -> set[str]:
    """Return the paths that the text of an `MLmodel` names; raise `InvalidFile`."""
    text = content.decode("utf-8", "replace")
    model = mlmodel.of(Document.parse(text, Path(mlmodel.FILE_NAME)))
    paths = [path for _, path in named_paths(model)]
    for section in model.flavors.values():
        if isinstance(section, Mapping):
            values = [section.get(field) for field in _PATH_FIELDS]
            paths += [value for value in values if isinstance(value, str)]
    names = {_SURROUNDINGS.sub("", path) for path in paths}
    return set(filter(_stays_inside, names))


def _stays_inside(name: str) -> bool:
    """Return whether a path is worth a request; opening the model refuses paths that lead out."""
    if not name or name.startswith("/"):
        return False
    parts = name.split("/")
    return "." not in parts and ".." not in parts


def _path_below(root: str, target: str) -> str:
    """Return the path of a URL below another one; empty if it leads elsewhere."""
    url, base = urlsplit(target), urlsplit(root)
    if (url.scheme, url.hostname, url.port) != (base.scheme, base.hostname, base.port):
        return ""
    if url.query not in ("", base.query) or not url.path.startswith(base.path):
        return ""
    return unquote(url.path[len(base.path) :])


def _last_part(uri: str) -> str:
    return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2])
