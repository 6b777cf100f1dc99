"""One repository of a registry: read and push images.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from envkit.images import media_types
from envkit.images.blob_cache import PIECE, file_pieces
from envkit.images.descriptor import Blob, Descriptor, digest_of
from envkit.images.layout import LARGEST_DOCUMENT
from envkit.images.references import DOCKER_HUB, Reference
from envkit.images.registry import credentials
from envkit.images.registry.errors import ImageNotFound, RegistryFailed
from envkit.images.registry.login import RegistryLogin

_DOCKER_HUB_HOST = "registry-1.docker.io"
_SECONDS = httpx.Timeout(60.0, connect=15.0)
_TRIES, _PAUSE_SECONDS = 3, 0.5
_BUSY = {429, 502, 503, 504}
_ACCEPTED = ", ".join((*media_types.INDEXES, *media_types.MANIFESTS))
_LONGEST_MESSAGE = 300


class Repository:
    """A connection to one repository; close it, or use it as a context manager.

    It is an `ImageSource`, and what `push.push` writes to.
    """

    def __init__(
        self, reference: Reference, environ: Mapping[str, str], *, pushes: bool = False
    ) -> None:
        """Connect to nothing yet; logins are read. Raises `InvalidFile` for malformed ones."""
        self.reference = reference
        action = "pull,push" if pushes else "pull"
        login = RegistryLogin(
            credentials.find(reference, environ),
            (f"repository:{reference.repository}:{action}",),
        )
        self._http = httpx.Client(
            base_url=f"{_scheme(reference.registry)}://{_host(reference.registry)}/v2/",
            auth=login,
            timeout=_SECONDS,
            follow_redirects=True,
            headers={"User-Agent": "envkit"},
            # the certificates of the system, and SSL_CERT_FILE, not those of a library
            verify=ssl.create_default_context(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def name(self) -> str:
        """The reference as text."""
        return str(self.reference)

    def root(self) -> Blob:
        """Fetch the manifest or index. Raises `ImageNotFound`, `RegistryFailed`."""
        return self._manifest(self.reference.version)

    def document(self, descriptor: Descriptor) -> Blob:
        """Fetch a manifest or a configuration. Raises `ImageNotFound`, `RegistryFailed`."""
        manifests = (*media_types.INDEXES, *media_types.MANIFESTS)
        if descriptor.media_type in manifests:
            return self._manifest(descriptor.digest)
        content = b"".join(self.pieces(descriptor))
        return Blob(descriptor=descriptor, content=content)

    def pieces(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob. Raises `RegistryFailed`."""
        doing = f"fetch {descriptor.digest} of {self.name}"
        with (
            self._failing(doing),
            self._http.stream("GET", self._blob(descriptor.digest)) as answer,
        ):
            self._check(answer, doing)
            yield from answer.iter_raw(PIECE)

    def find_manifest(self, version: str) -> Blob | None:
        """Fetch a manifest; None when there is none. Raises `RegistryFailed`."""
        with suppress(ImageNotFound):
            return self._manifest(version)
        return None

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the repository has a blob. Raises `RegistryFailed`."""
        doing = f"ask for {descriptor.digest}"
        answer = self._send(doing, "HEAD", self._blob(descriptor.digest), missing=True)
        return answer.status_code == httpx.codes.OK

    def push_blob(self, blob: Blob, mount_from: str = "") -> bool:
        """Send a blob; False when the registry took it from its repository `mount_from`.

        Raises `RegistryFailed`, `OSError` when it cannot be read.
        """
        doing = f"push to {self.name}"
        digest = blob.descriptor.digest
        query = {"mount": digest, "from": mount_from} if mount_from else {}
        started = self._send(doing, "POST", f"{self._path}/blobs/uploads/", params=query)
        if started.status_code == httpx.codes.CREATED:
            return False
        place = self._http.base_url.join(started.headers.get("Location", ""))
        with self._failing(doing):
            answer = self._http.put(
                place.copy_add_param("digest", digest),
                content=_Pieces(blob.content),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(blob.descriptor.size),
                },
            )
        self._check(answer, doing)
        return True

    def push_manifest(self, manifest: Blob, version: str) -> None:
        """Send a manifest under a tag or its digest. Raises `RegistryFailed`."""
        doing = f"push {self.name}"
        answer = self._send(
            doing,
            "PUT",
            f"{self._path}/manifests/{version}",
            content=manifest.read(),
            headers={"Content-Type": manifest.descriptor.media_type},
        )
        self._check(answer, doing)

    def lists_referrers(self, digest: str) -> bool:
        """Whether the registry lists referrers by itself. Raises `RegistryFailed`."""
        doing = f"ask for the referrers of {self.name}"
        answer = self._send(doing, "GET", f"{self._path}/referrers/{digest}", missing=True)
        return answer.status_code == httpx.codes.OK

    @property
    def _path(self) -> str:
        return self.reference.repository

    def _blob(self, digest: str) -> str:
        return f"{self._path}/blobs/{digest}"

    def _manifest(self, version: str) -> Blob:
        doing = f"fetch {self.name}"
        answer = self._send(
            doing,
            "GET",
            f"{self._path}/manifests/{version}",
            headers={"Accept": _ACCEPTED},
            missing=True,
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise ImageNotFound(self.name)
        content = answer.content
        if len(content) > LARGEST_DOCUMENT:
            raise self._error(doing, "sent a manifest that is too large")
        digest = digest_of(content)
        if version.startswith("sha256:") and version != digest:
            raise self._error(doing, f"sent other content than {version}")
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        descriptor = Descriptor(media_type=media_type, digest=digest, size=len(content))
        return Blob(descriptor=descriptor, content=content)

    def _send(
        self, doing: str, method: str, url: str, *, missing: bool = False, **what: object
    ) -> httpx.Response:
        """Send a small request, again when the registry is busy. missing: 404 is an answer."""
        for attempt in range(1, _TRIES + 1):
            with self._failing(doing):
                answer = self._http.request(method, url, **what)  # type: ignore[arg-type]
            if answer.status_code not in _BUSY or attempt == _TRIES:
                break
            time.sleep(_PAUSE_SECONDS * attempt)
        if not (missing and answer.status_code == httpx.codes.NOT_FOUND):
            self._check(answer, doing)
        return answer

    def _check(self, answer: httpx.Response, doing: str) -> None:
        if answer.is_success:
            return
        status = answer.status_code
        problem = f"answers {status} {answer.reason_phrase}".rstrip()
        said = _message(answer)
        raise self._error(doing, f"{problem} ({said})" if said else problem, status)

    @contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise self._error(doing, "does not answer in time") from error
        except httpx.ConnectError as error:
            raise self._error(doing, f"cannot be reached ({error})") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._error(doing, f"broke off the connection ({error})") from error

    def _error(self, doing: str, problem: str, status: int = 0) -> RegistryFailed:
        return RegistryFailed(self.reference.registry, doing, problem, status)


class _Pieces:
    """Content that can be sent a second time, after a login."""

    def __init__(self, content: bytes | Path) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._content, Path):
            return file_pieces(self._content)
        return iter((self._content,))


def _message(answer: httpx.Response) -> str:
    """Give what a registry says in `errors[].message`, or nothing."""
    with suppress(ValueError, KeyError, TypeError, IndexError, httpx.HTTPError):
        answer.read()
        error = answer.json()["errors"][0]
        return str(error.get("message") or error["code"])[:_LONGEST_MESSAGE]
    return ""


def _host(registry: str) -> str:
    if registry == DOCKER_HUB:
        return _DOCKER_HUB_HOST
    return registry


def _scheme(registry: str) -> str:
    """Give `http` for this machine only, as engines do."""
    host = registry.rpartition(":")[0] or registry
    with suppress(ValueError):
        return "http" if ip_address(host.strip("[]")).is_loopback else "https"
    return "http" if host == "localhost" else "https"
