"""Keep credentials out of keys, messages and logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IN_URL = re.compile(r"(?<=://)[^/@\s'\"]+@")
_IN_QUERY = re.compile(
    r"([?&](?:access_)?(?:token|key|api_key|password|secret|signature|sig)=)[^&\s#'\"]+", re.IGNORECASE
)


def without_credentials(text: str) -> str:
    """Drop user names, passwords and tokens from the URLs in a text."""
    return _IN_QUERY.sub(r"\1***", _IN_URL.sub("", text))


def secrets_in(lines: Iterable[str]) -> frozenset[str]:
    """Give the credentials of the URLs in some lines, whole and in their parts, to look for elsewhere."""
    found = [match.group().rstrip("@") for line in lines for match in _IN_URL.finditer(line)]
    parts = [part for each in found for part in (each, each.partition(":")[2])]
    return frozenset(part for part in parts if len(part) >= 4)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Make a text fit for an error message: no credentials of URLs, none of the `secrets`."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _IN_QUERY.sub(r"\1***", _IN_URL.sub("***@", text))
