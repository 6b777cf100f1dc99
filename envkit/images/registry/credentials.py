"""The logins of registries, as `docker login` and `podman login` keep them.

https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.child import process
from envkit.errors import InvalidFile
from envkit.images.references import DOCKER_HUB, Reference

_HELPER_SECONDS = 60.0
_DOCKER_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", DOCKER_HUB)
_IDENTITY_TOKEN = "<token>"  # noqa: S105 - the user name that says that the secret is one


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A login. identity_token: a refresh token in place of user name and password."""

    username: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(username={self.username!r})"


def find(reference: Reference, environ: Mapping[str, str]) -> Credentials | None:
    """Give the login for a repository; None to go without.

    A file that names no login for it is passed over. Raises `InvalidFile` for a malformed file.
    """
    for path in files(environ):
        if path.is_file():
            found = _in_file(path, reference, environ)
            if found is not None:
                return found
    return None


def files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where logins are kept, in the order in which engines look."""
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("DOCKER_CONFIG"):
        yield Path(environ["DOCKER_CONFIG"], "config.json")
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"], "containers", "auth.json")
    home = Path(environ.get("HOME") or "~").expanduser()
    configuration = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    yield configuration / "containers" / "auth.json"
    yield home / ".docker" / "config.json"


def _in_file(path: Path, reference: Reference, environ: Mapping[str, str]) -> Credentials | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        logins = content.get("auths") or {}
        helpers = content.get("credHelpers") or {}
        store = content.get("credsStore") or ""
        names = list(_names(reference))
        for name in names:
            if name in helpers:
                return _from_helper(str(helpers[name]), name, environ)
        for name in names:
            if name in logins and (found := _from_entry(logins[name])) is not None:
                return found
        if store:
            return _from_helper(str(store), _server_of(reference), environ)
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error
    except (ValueError, AttributeError, TypeError) as error:
        problem = "is not a configuration of container tools"
        raise InvalidFile(path, "", problem, "Log in again with `docker login`.") from error
    return None


def _names(reference: Reference) -> Iterator[str]:
    """Yield the keys of a repository, the most specific first, as podman looks for them."""
    parts = [reference.registry, *reference.repository.split("/")]
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
    yield f"https://{reference.registry}"
    yield f"https://{reference.registry}/v1/"
    if reference.registry == DOCKER_HUB:
        yield from _DOCKER_HUB_KEYS


def _server_of(reference: Reference) -> str:
    if reference.registry == DOCKER_HUB:
        return _DOCKER_HUB_KEYS[0]
    return reference.registry


def _from_entry(entry: Mapping[str, Any]) -> Credentials | None:
    if entry.get("identitytoken"):
        return Credentials(identity_token=str(entry["identitytoken"]))
    if entry.get("auth"):
        text = base64.b64decode(entry["auth"], validate=True).decode()
        username, _, password = text.partition(":")
        return Credentials(username=username, password=password.rstrip("\0"))
    if entry.get("username"):
        password = str(entry.get("password", ""))
        return Credentials(username=str(entry["username"]), password=password)
    return None


def _from_helper(helper: str, server: str, environ: Mapping[str, str]) -> Credentials | None:
    """Ask a program that keeps logins; None when it has none for the server.

    https://github.com/docker/docker-credential-helpers
    """
    program = f"docker-credential-{helper}"
    try:
        ended = process.run(
            [program, "get"],
            environment=environ,
            timeout=_HELPER_SECONDS,
            keep_output=True,
            stdin=server,
        )
    except OSError:
        return None  # configured on another machine; engines go on without it, too
    begin = ended.output.find("{")
    if not ended.succeeded or begin < 0:
        return None
    login, _ = json.JSONDecoder().raw_decode(ended.output, begin)
    username, secret = str(login.get("Username", "")), str(login.get("Secret", ""))
    if username == _IDENTITY_TOKEN:
        return Credentials(identity_token=secret)
    return Credentials(username=username, password=secret)
