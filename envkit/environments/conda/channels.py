"""Channels: from the names in `conda.yaml` to URLs without credentials, and the credentials beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from envkit.formats.condarc import DEFAULT_ALIAS, Condarc
from envkit.formats.credentials import filled

_TOKEN = re.compile(r"/t/([^/]+)(?=/|$)")
_IN_SPEC = re.compile(r"\s*(?P<channel>[^\s\[]+?)::(?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: its URL without credentials, and those, as rattler's files of credentials hold them.

    source: the URL that the channel's name has where nothing is configured, if it was a name.
    """

    url: str
    login: Mapping[str, Mapping[str, Mapping[str, str] | str]]
    secrets: frozenset[str] = frozenset()
    source: str = ""


def resolved(
    names: Iterable[str], settings: Condarc, directory: Path, environ: Mapping[str, str]
) -> tuple[Channel, ...]:
    """Give the channels of a `conda.yaml` that lies in `directory`, each once.

    `defaults` means what conda is told that it means; `nodefaults` is no channel. Where no channel
    is named, the user's own count, else conda-forge.
    """
    named = [name.strip() for name in names if name.strip() not in ("", "nodefaults")]
    found: dict[str, Channel] = {}
    for name in named or settings.channels or ("conda-forge",):
        for each in settings.default_channels if name == "defaults" else (name,):
            channel = _channel(each, settings, directory, environ)
            found.setdefault(channel.url, channel)
    return tuple(found.values())


def in_specs(
    specs: Iterable[str], settings: Condarc, directory: Path, environ: Mapping[str, str]
) -> Iterator[tuple[str, Channel | None]]:
    """Yield each match spec with the URL of the channel that it names (`conda-forge::numpy`), and that channel."""
    for spec in specs:
        found = _IN_SPEC.fullmatch(spec)
        if found is None:
            yield spec, None
        else:
            channel = _channel(found["channel"], settings, directory, environ)
            yield f"{channel.url}::{found['rest'].strip()}", channel


def _channel(name: str, settings: Condarc, directory: Path, environ: Mapping[str, str]) -> Channel:
    if name.startswith((".", "/", "~")):
        return _without_login((directory / Path(name).expanduser()).resolve().as_uri())
    if "://" in name:
        return _without_login(filled(name, environ))
    base = next(
        (base for first, base in _longest_first(settings) if f"{name}/".startswith(f"{first}/")),
        None,
    )
    url = f"{(base or settings.channel_alias).rstrip('/')}/{quote(name)}"
    if "://" not in url:
        url = Path(url).expanduser().absolute().as_uri()
    channel = _without_login(filled(url, environ))
    return Channel(channel.url, channel.login, channel.secrets, f"{DEFAULT_ALIAS}/{name}/")


def _longest_first(settings: Condarc) -> list[tuple[str, str]]:
    return sorted(settings.custom_channels.items(), key=lambda each: -len(each[0]))


def _without_login(url: str) -> Channel:
    """Take user name and password, or a token (`/t/TOKEN/`), out of a URL."""
    parts = urlsplit(url)
    token = _TOKEN.search(parts.path)
    path = _TOKEN.sub("", parts.path).rstrip("/")
    host = parts.netloc.rpartition("@")[2]
    clean = f"{parts.scheme}://{host}{path}/"
    name = parts.hostname or ""
    if token:
        return Channel(
            clean,
            {name: {"CondaToken": unquote(token[1])}},
            frozenset({token[1], unquote(token[1])}),
        )
    if parts.username is None:
        return Channel(clean, {})
    user, password = unquote(parts.username), unquote(parts.password or "")
    login: Mapping[str, Mapping[str, str] | str]
    if parts.password:
        login = {"BasicHTTP": {"username": user, "password": password}}
    else:
        login = {"BearerToken": user}
    secrets = {each for each in (password, parts.password) if each} or {user}
    return Channel(clean, {name: login}, frozenset(secrets))
