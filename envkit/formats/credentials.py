"""Credentials in URLs: found, dropped, or replaced by `${NAME}`, so that no file that is written holds any.

pip and uv put the value of the environment variable `NAME` in the place of `${NAME}` (capital
letters, digits and underscores) when they read a requirements file:
https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

IN_URL = re.compile(r"(?<=://)[^/\s'\"?#,;]+@")
"""What stands before the host: user name, password and `@`; a password may itself hold an `@`."""
IN_QUERY = re.compile(
    r"([?&](?:access_|auth_|private_|x-(?:amz|goog)-(?:security-)?)?"
    r"(?:token|key|api_?key|password|secret|signature|sig|credential)=)[^&\s#'\"]+",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<login>[^/\s'\"?#,;]+)@)?(?P<host>[^/\s'\"?#,;@:]*)"
)
_PLACEHOLDER = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")


def without_credentials(text: str) -> str:
    """Drop user names, passwords and tokens from the URLs in a text."""
    return IN_QUERY.sub(r"\1***", IN_URL.sub("", text))


def placeholders(text: str) -> str:
    """Put `${INDEX_<host>_USERNAME}`, `…_PASSWORD` and `…_TOKEN` in the place of credentials in the URLs of a text.

    A user name alone is a token, except with SSH, where `git@` is no secret. Placeholders that are
    there stay, so that doing it twice changes nothing.
    """
    return re.sub(r"\S+://\S+", lambda found: _each_query(_URL.sub(_login, found.group())), text)


def placeholder_names(text: str) -> frozenset[str]:
    """The names of environment variables that whoever reads this text must set."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Put the values in the place of `${NAME}`; where one is missing, give the URLs without any credentials."""
    if any(name not in environ for name in placeholder_names(text)):
        return IN_URL.sub("", text)
    return _PLACEHOLDER.sub(lambda found: quote(environ[found[1]], safe=""), text)


def secrets_in(lines: Iterable[str]) -> frozenset[str]:
    """Give the credentials of the URLs in some lines, whole and in their parts, to look for elsewhere."""
    found = [match.group().rstrip("@") for line in lines for match in IN_URL.finditer(line)]
    parts = [part for each in found for part in (each, each.partition(":")[2])]
    return frozenset(part for part in parts if len(part) >= 4)


def _login(url: re.Match[str]) -> str:
    login, host, scheme = url["login"], url["host"], url["scheme"]
    if login is None:
        return url.group()
    user, colon, password = login.partition(":")
    if scheme.lower().endswith("ssh"):
        if colon:
            login = f"{user}:{_named(password, host, 'PASSWORD')}"
        else:
            login = user
    elif colon:
        login = f"{_named(user, host, 'USERNAME')}:{_named(password, host, 'PASSWORD')}"
    else:
        login = _named(user, host, "TOKEN")
    return f"{scheme}://{login}@{host}"


def _each_query(url: str) -> str:
    host = _URL.search(url)
    return IN_QUERY.sub(
        lambda found: f"{found[1]}{_named(_value(found), host['host'] if host else '', 'TOKEN')}",
        url,
    )


def _value(found: re.Match[str]) -> str:
    return found.group()[len(found[1]) :]


def _named(value: str, host: str, what: str) -> str:
    if not value or _PLACEHOLDER.fullmatch(value):
        return value
    return f"${{{re.sub(r'[^A-Z0-9]+', '_', f'INDEX_{host}_{what}'.upper())}}}"
