"""Keep credentials out of keys, messages and logs."""

from __future__ import annotations

from collections.abc import Iterable

from envkit.formats.credentials import IN_QUERY, IN_URL, secrets_in, without_credentials

__all__ = ["redacted", "secrets_in", "without_credentials"]


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Remove the credentials of URLs and the `secrets` from a text, so that it can be shown."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return IN_QUERY.sub(r"\1***", IN_URL.sub("***@", text))
