"""Credentials in URLs: dropped, or replaced by `${NAME}`, so that no written file contains any.

pip and uv replace `${NAME}` (capital letters, digits and underscores) by the value of the
environment variable when they read a requirements file:
https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

IN_URL = re.compile(r"(?<=://)[^/\s'\"?#,;]+@")
"""What is in front of the host: user name, password and `@`.

A password may itself contain an `@`.
"""
IN_QUERY = re.compile(
    r"([?&](?:access_|auth_|private_|x-(?:amz|goog)-(?:security-)?)?"
    r"(?:token|key|api_?key|password|secret|signature|sig|credential)=)([^&\s#'\"]+)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")
# the length of a scheme is bounded: a long word is then not searched again from each of its letters
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40})://"
    r"(?:(?P<login>[^/\s'\"?#,;]+)@)?"
    r"(?P<host>[^/\s'\"?#,;@:]*)"
)
_PLACEHOLDER = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_MIN_SECRET = 4  # characters; shorter ones would hide half of every text


def without_credentials(text: str) -> str:
    """Drop user names, passwords and tokens from the URLs in a text."""
    return IN_QUERY.sub(r"\1***", IN_URL.sub("", text))


def placeholders(text: str) -> str:
    """Replace the credentials in the URLs of a text by placeholders.

    They are called `${INDEX_<host>_USERNAME}`, `…_PASSWORD` and `…_TOKEN`.

    A user name alone is a token, except with SSH, where `git@` is not secret. Existing placeholders
    stay, so that doing it twice changes nothing.
    """
    return _WORD.sub(lambda word: _with_placeholders(word[0]), text)


def placeholder_names(text: str) -> frozenset[str]:
    """The names of environment variables that a reader of this text must set."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Replace `${NAME}` by values; where one is missing, give the URLs without any credentials."""
    if any(name not in environ for name in placeholder_names(text)):
        return IN_URL.sub("", text)
    return _PLACEHOLDER.sub(lambda placeholder: quote(environ[placeholder[1]], safe=""), text)


def secrets_in(lines: Iterable[str]) -> frozenset[str]:
    """Give the credentials of the URLs in some lines, whole and in their parts."""
    secrets: set[str] = set()
    for line in lines:
        for match in IN_URL.finditer(line):
            login = match[0].rstrip("@")
            _, _, password = login.partition(":")
            secrets |= {login, password}
    return frozenset(secret for secret in secrets if len(secret) >= _MIN_SECRET)


def _with_placeholders(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if not scheme or not rest:
        return url
    url = _URL.sub(_with_login_placeholders, url)
    found = _URL.search(url)
    host = found["host"] if found else ""
    return IN_QUERY.sub(lambda token: token[1] + _placeholder(token[2], host, "TOKEN"), url)


def _with_login_placeholders(url: re.Match[str]) -> str:
    login, host, scheme = url["login"], url["host"], url["scheme"]
    if login is None:
        return url[0]
    user, colon, password = login.partition(":")
    is_ssh = scheme.lower().endswith("ssh")
    if not colon:
        login = user if is_ssh else _placeholder(user, host, "TOKEN")
    else:
        if not is_ssh:
            user = _placeholder(user, host, "USERNAME")
        login = f"{user}:{_placeholder(password, host, 'PASSWORD')}"
    return f"{scheme}://{login}@{host}"


def _placeholder(secret: str, host: str, kind: str) -> str:
    """Give the placeholder of a secret; an empty one and a placeholder stay."""
    if not secret or _PLACEHOLDER.fullmatch(secret):
        return secret
    name = re.sub(r"[^A-Z0-9]+", "_", f"INDEX_{host}_{kind}".upper())
    return f"${{{name}}}"
