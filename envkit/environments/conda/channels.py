"""Channels: from the names in `conda.yaml` to URLs, and credentials apart from these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from envkit.child.variables import Variables
from envkit.formats.condarc import DEFAULT_ALIAS, Condarc
from envkit.formats.credentials import filled

_TOKEN = re.compile(r"/t/([^/]+)(?=/|$)")
_IN_SPEC = re.compile(r"\s*(?P<channel>[^\s\[]+?)::(?P<rest>.+)", re.DOTALL)

Login = Mapping[str, Mapping[str, str] | str]
"""Credentials for one host, in the form of rattler's file of credentials."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: its URL without credentials, and those by host.

    source: the URL that the channel's name has where nothing is configured, if it was a name.
    """

    url: str
    login: Mapping[str, Login]
    secrets: frozenset[str] = frozenset()
    source: str = ""


def resolved(
    names: Iterable[str], settings: Condarc, directory: Path, environ: Variables
) -> tuple[Channel, ...]:
    """Return the channels of a `conda.yaml` that lies in `directory`, each once.

    `defaults` means the configured default channels; `nodefaults` is not a channel. Where no
    channel is named, the user's own count, else conda-forge.
    """
    stripped = [name.strip() for name in names]
    named = [name for name in stripped if name not in ("", "nodefaults")]
    channels: dict[str, Channel] = {}
    for name in named or settings.channels or ("conda-forge",):
        for member in _members(name, settings):
            channel = _channel(member, settings, directory, environ)
            channels.setdefault(channel.url, channel)
    return tuple(channels.values())


def _members(name: str, settings: Condarc) -> tuple[str, ...]:
    if name in settings.custom_multichannels:
        return settings.custom_multichannels[name]
    if name == "defaults":
        return settings.default_channels
    return (name,)


def in_specs(
    specs: Iterable[str], settings: Condarc, directory: Path, environ: Variables
) -> Iterator[tuple[str, Channel | None]]:
    """Yield each match spec, and the channel that it names, as in `conda-forge::numpy`.

    In the spec the URL stands for the channel's name.
    """
    for spec in specs:
        match = _IN_SPEC.fullmatch(spec)
        if match is None:
            yield spec, None
        else:
            channel = _channel(match["channel"], settings, directory, environ)
            yield f"{channel.url}::{match['rest'].strip()}", channel


def _channel(name: str, settings: Condarc, directory: Path, environ: Variables) -> Channel:
    if name.startswith((".", "/", "~")):
        path = (directory / Path(name).expanduser()).resolve()
        return _without_login(path.as_uri())
    if "://" in name:
        return _without_login(filled(name, environ))
    url = f"{_base_of(name, settings).rstrip('/')}/{quote(name)}"
    if "://" not in url:
        url = Path(url).expanduser().absolute().as_uri()
    channel = _without_login(filled(url, environ))
    return Channel(channel.url, channel.login, channel.secrets, f"{DEFAULT_ALIAS}/{name}/")


def _base_of(name: str, settings: Condarc) -> str:
    """Return the address before a channel's name; the longest configured name counts."""
    configured = sorted(settings.custom_channels.items(), key=lambda item: -len(item[0]))
    for first_part, base in configured:
        if f"{name}/".startswith(f"{first_part}/"):
            return base
    return settings.channel_alias


def _without_login(url: str) -> Channel:
    """Take user name and password, or a token (`/t/TOKEN/`), out of a URL."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = _TOKEN.sub("", parts.path).rstrip("/")
    clean = f"{parts.scheme}://{host}{path}/"
    name = parts.hostname or ""
    token = _TOKEN.search(parts.path)
    if token is not None:
        plain = unquote(token[1])
        return Channel(clean, {name: {"CondaToken": plain}}, frozenset({token[1], plain}))
    if parts.username is None:
        return Channel(clean, {})
    user = unquote(parts.username)
    if not parts.password:
        return Channel(clean, {name: {"BearerToken": user}}, frozenset({user}))
    password = unquote(parts.password)
    login = {"BasicHTTP": {"username": user, "password": password}}
    return Channel(clean, {name: login}, frozenset({password, parts.password}))
