"""Redirects of web servers, which choose what is requested next."""

from __future__ import annotations

import socket
from email.message import Message
from ipaddress import IPv6Address, ip_address
from typing import IO
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request

from envkit.models.uris.naming import shown


class Redirects(HTTPRedirectHandler):
    """Follows redirects, but none that gives up encryption or leads into the local network.

    Internal addresses stay allowed where the URL that the user named is on one itself.
    """

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> Request | None:
        """Return the next request; raise `ConnectionError` where it is refused."""
        problem = _problem(req, newurl)
        if problem:
            fp.close()
            raise ConnectionError(
                f"the server redirects to {shown(newurl)}, {problem}; name that URL if you trust it"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _problem(request: Request, url: str) -> str:
    """Why a redirect is refused; empty if it is followed."""
    target = urlsplit(url)
    if target.scheme not in ("http", "https"):
        return "which is not HTTP"
    if request.type == "https" and target.scheme == "http":
        return "which is not encrypted"
    origin = request.origin_req_host.strip("[]")
    if _is_internal(target.hostname or "") and not _is_internal(origin):
        return "which is an internal address"
    return ""


def _is_internal(host: str) -> bool:
    """Whether a host has a private, loopback, link-local or otherwise reserved address."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # only a proxy may know the name
        return False
    for *_, (address, *_) in found:
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        if not parsed.is_global:
            return True
    return False
