"""Answer a registry's question for a login: Basic, or a token of its own server.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Generator, Mapping
from typing import Any

import httpx

from envkit.images.registry.credentials import Credentials

_CHALLENGE = re.compile(r"\s*(Basic|Bearer)\s+(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_CLIENT = "envkit"
_SHORTEST_SECONDS = 60.0  # what a token lasts when its server does not say
_EARLY_SECONDS = 10.0


class RegistryLogin(httpx.Auth):
    """Sends what a registry accepts, once it has said what that is."""

    def __init__(self, credentials: Credentials | None, scopes: tuple[str, ...]) -> None:
        """Take a login, if there is one, and what it will be needed for."""
        self._credentials, self._scopes = credentials, scopes
        self._header, self._expires = "", 0.0

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request; after a refusal, log in and send it again."""
        if self._header and time.monotonic() < self._expires:
            request.headers["Authorization"] = self._header
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        kind, parameters = _challenge(response.headers.get("WWW-Authenticate", ""))
        if kind == "basic" and self._credentials is not None:
            self._header = _basic(self._credentials)
            self._expires = float("inf")
        elif kind == "bearer":
            answer = yield self._token_request(parameters)
            answer.read()
            self._take_token(answer)
        else:
            return
        if self._header:
            request.headers["Authorization"] = self._header
            yield request

    def _token_request(self, parameters: Mapping[str, str]) -> httpx.Request:
        scopes = list(dict.fromkeys([*self._scopes, *parameters.get("scope", "").split()]))
        realm, service = parameters.get("realm", ""), parameters.get("service", "")
        login = self._credentials
        if login is not None and login.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": _CLIENT,
                "scope": " ".join(scopes),
                "refresh_token": login.identity_token,
            }
            return httpx.Request("POST", realm, data=form)
        query = {"service": service, "scope": scopes}
        request = httpx.Request("GET", realm, params=query)
        if login is not None:
            request.headers["Authorization"] = _basic(login)
        return request

    def _take_token(self, answer: httpx.Response) -> None:
        self._header = ""
        if not answer.is_success:
            return
        try:
            content: Any = answer.json()
            token = str(content.get("token") or content.get("access_token") or "")
            seconds = float(content.get("expires_in") or _SHORTEST_SECONDS)
        except (ValueError, AttributeError, TypeError):
            return
        if token:
            self._header = f"Bearer {token}"
            self._expires = time.monotonic() + max(seconds, _SHORTEST_SECONDS) - _EARLY_SECONDS


def _challenge(header: str) -> tuple[str, dict[str, str]]:
    match = _CHALLENGE.match(header)
    if match is None:
        return "", {}
    parameters = {
        name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(match[2])
    }
    return match[1].lower(), parameters


def _basic(login: Credentials) -> str:
    pair = f"{login.username}:{login.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
