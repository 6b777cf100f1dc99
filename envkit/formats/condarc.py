"""conda's settings, as far as they say where channels are.

https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html. Settings
are in `.condarc` files, of which those nearer to the user win, and in `CONDA_…` variables, which
win over all files. Lists and mappings of several sources are joined, those that win first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from envkit.formats.document import Document

DEFAULT_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_TEXTS = ("channels", "default_channels", "pkgs_dirs")
_MAPPINGS = ("custom_channels", "proxy_servers")
_LISTS = "custom_multichannels"
_SWITCHES = ("ssl_verify", "offline")
_TOKEN = re.compile(r"/t/[^/]+(?=/|$)")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condarc:
    """Where channels are.

    channel_alias: the URL that channels' names follow. channels: those that are used when none is
    named. default_channels: what `defaults` means. custom_channels: names (or their first parts)
    and the URL that they follow. custom_multichannels: names and the channels that they mean.
    pkgs_dirs: the package caches, the first one is written to. ssl_verify: whether certificates are
    checked, or a file of those to trust. proxies: by scheme.
    """

    channel_alias: str = DEFAULT_ALIAS
    channels: tuple[str, ...] = ()
    default_channels: tuple[str, ...] = _DEFAULTS
    custom_channels: Mapping[str, str] = field(default_factory=dict)
    custom_multichannels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pkgs_dirs: tuple[str, ...] = ()
    ssl_verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False

    def name_of(self, url: str) -> str:
        """Return the name that leads to a channel's URL, as conda exports it; "" for none.

        url: without platform, credentials and token. That of Anaconda's own default channels leads
        to them everywhere and has no name.
        """
        if self.default_channels != _DEFAULTS:
            defaults = [self._url_of(name) for name in self.default_channels]
            if _location(url) in map(_location, defaults):
                return "defaults"
        for name, base in self.custom_channels.items():
            rest = _below(url, f"{base.rstrip('/')}/{name}")
            if rest is not None:
                return f"{name}/{rest}".rstrip("/")
        return _below(url, self.channel_alias) or _below(url, DEFAULT_ALIAS) or ""

    def _url_of(self, name: str) -> str:
        if "://" in name:
            return name
        return f"{self.channel_alias.rstrip('/')}/{name}"


def of_machine(environ: Mapping[str, str], home: Path, root: Path | None = None) -> Condarc:
    """Read the files of machine, installation (in the folder `root`) and user, and variables.

    Raises `InvalidFile` for a malformed file.
    """
    settings: dict[str, Any] = {}
    for path in files(environ, home, root):
        if path.stat().st_size:
            _join(settings, _from_file(Document.load(path)))
    _join(settings, _from_variables(environ))
    return _condarc(settings, environ)


def of_sources(sources: Mapping[str, Any], environ: Mapping[str, str]) -> Condarc:
    """Read the answer of `conda config --show-sources --json`: the settings of each source.

    Sources that win come last. Raises `InvalidFile`, which names the source.
    """
    settings: dict[str, Any] = {}
    for source, values in sources.items():
        if not isinstance(values, dict):
            continue
        # variables are as they were set: `a,b`
        values = {
            key: list(_split(value)) if key in _TEXTS and isinstance(value, str) else value
            for key, value in values.items()
        }
        _join(settings, _from_file(Document(values, Path(source))))
    return _condarc(settings, environ)


def _location(url: str) -> str:
    """Return a URL without its scheme, credentials and token, by which conda compares channels."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{_TOKEN.sub('', parts.path)}".rstrip("/")


def _below(url: str, base: str) -> str | None:
    """Return what follows a base URL, "" for that URL itself; None where it is not below it."""
    location, first = _location(url), _location(base)
    if location == first:
        return ""
    if not location.startswith(f"{first}/"):
        return None
    return location.removeprefix(f"{first}/")


def files(environ: Mapping[str, str], home: Path, root: Path | None = None) -> tuple[Path, ...]:
    """Return the files that conda reads, those that win last."""
    return tuple(path for path in _paths(environ, home, root) if path.is_file())


def _paths(environ: Mapping[str, str], home: Path, root: Path | None) -> Iterator[Path]:
    """Yield where conda looks for files, those that win last."""
    yield from _in_folder(Path("/etc/conda"))
    yield from _in_folder(Path("/var/lib/conda"))
    root = root or _active_installation(environ)
    if root is not None:
        yield from _in_folder(root)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    yield from _in_folder(config / "conda")
    if config != home / ".config":
        yield from _in_folder(home / ".config/conda")
    yield from _in_folder(home / ".conda")
    yield home / ".condarc"
    prefix = environ.get("CONDA_PREFIX")
    if prefix and Path(prefix) != root:
        yield from _in_folder(Path(prefix))
    named = environ.get("CONDARC")
    if named:
        yield Path(named)


def _active_installation(environ: Mapping[str, str]) -> Path | None:
    """Return the installation that variables name; conda sets CONDA_EXE when it is activated."""
    if environ.get("CONDA_ROOT"):
        return Path(environ["CONDA_ROOT"])
    if environ.get("CONDA_EXE"):
        return Path(environ["CONDA_EXE"]).parent.parent
    return None


def _in_folder(folder: Path) -> Iterator[Path]:
    yield folder / ".condarc"
    yield folder / "condarc"
    parts = folder / "condarc.d"
    yield from sorted([*parts.glob("*.yml"), *parts.glob("*.yaml")])


def _join(settings: dict[str, Any], winning: Mapping[str, Any]) -> None:
    """Put settings over those of the sources before."""
    for key, value in winning.items():
        before = settings.get(key)
        if isinstance(value, tuple) and before:
            settings[key] = tuple(dict.fromkeys((*value, *before)))
        elif isinstance(value, dict) and before:
            settings[key] = {**before, **value}
        else:
            settings[key] = value


def _from_file(document: Document) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in document.content.items():
        if key in _TEXTS:
            settings[key] = document.texts(key)
        elif key in _MAPPINGS:
            settings[key] = _texts_by_name(document.optional_mapping(key))
        elif key == _LISTS:
            settings[key] = _lists_by_name(document.optional_mapping(key))
        elif key == "channel_alias":
            settings[key] = document.text(key)
        elif key in _SWITCHES:
            settings[key] = value
    return settings


def _texts_by_name(mapping: Document | None) -> dict[str, str]:
    if mapping is None:
        return {}
    return {name: mapping.text(name) for name in mapping.content}


def _lists_by_name(mapping: Document | None) -> dict[str, tuple[str, ...]]:
    if mapping is None:
        return {}
    return {name: mapping.texts(name) for name in mapping.content}


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[,\s]+", text)))


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name in ("channel_alias", *_SWITCHES, *_TEXTS):
        value = environ.get(f"CONDA_{name.upper()}")
        if not value:
            continue
        if name == "pkgs_dirs":
            settings[name] = tuple(filter(None, value.split(",")))
        elif name in _TEXTS:
            settings[name] = _split(value)
        else:
            settings[name] = value
    return settings


def _condarc(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Condarc:
    """Put the values of variables into the settings, as conda does."""

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda name: environ.get(name[1] or name[2], name[0]), text)

    def filled_all(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(filled(text) for text in texts)

    def filled_values(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(text) for name, text in texts.items()}

    return Condarc(
        channel_alias=filled(settings.get("channel_alias") or DEFAULT_ALIAS),
        channels=filled_all(settings.get("channels", ())),
        default_channels=filled_all(settings.get("default_channels") or _DEFAULTS),
        custom_channels=filled_values(settings.get("custom_channels", {})),
        custom_multichannels={
            name: filled_all(channels)
            for name, channels in settings.get("custom_multichannels", {}).items()
        },
        pkgs_dirs=filled_all(settings.get("pkgs_dirs", ())),
        ssl_verify=_switch_or_text(settings.get("ssl_verify", True)),
        proxies=filled_values(settings.get("proxy_servers", {})),
        offline=_switch_or_text(settings.get("offline", False)) is True,
    )


def _switch_or_text(value: object) -> bool | str:
    text = str(value).strip()
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    return text
