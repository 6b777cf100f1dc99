"""conda's settings, as far as they say where channels are.

https://docs.conda.io/projects/conda/en/stable/configuration.html. Settings are in `.condarc` files,
of which those nearer to the user win, and in `CONDA_…` variables, which win over all files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envkit.formats.document import Document

DEFAULT_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_TEXTS = ("channels", "default_channels")
_MAPPINGS = ("custom_channels", "proxy_servers")
_SWITCHES = ("ssl_verify", "offline")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condarc:
    """Where channels are.

    channel_alias: the URL that channels' names follow. channels: those that are used when none is
    named. default_channels: what `defaults` means. custom_channels: names (or their first parts)
    and the URL that they follow. ssl_verify: whether certificates are checked, or a file of those
    to trust. proxies: by scheme.
    """

    channel_alias: str = DEFAULT_ALIAS
    channels: tuple[str, ...] = ()
    default_channels: tuple[str, ...] = _DEFAULTS
    custom_channels: Mapping[str, str] = field(default_factory=dict)
    ssl_verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False


def of_machine(environ: Mapping[str, str], home: Path) -> Condarc:
    """Read the files of machine and user, and variables.

    Raises `InvalidFile` for a malformed file.
    """
    settings: dict[str, Any] = {}
    for path in _paths(environ, home):
        if path.is_file() and path.stat().st_size:
            settings |= _from_file(Document.load(path))
    settings |= _from_variables(environ)
    return _condarc(settings, environ)


def _paths(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield where conda looks for files, those that win last."""
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    yield Path("/etc/conda/.condarc")
    yield Path("/etc/conda/condarc")
    yield config / "conda/.condarc"
    yield config / "conda/condarc"
    yield home / ".conda/.condarc"
    yield home / ".conda/condarc"
    yield home / ".condarc"
    named = environ.get("CONDARC")
    if named:
        yield Path(named)


def _from_file(document: Document) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in document.content.items():
        if key in _TEXTS:
            settings[key] = document.texts(key)
        elif key in _MAPPINGS:
            settings[key] = _texts_by_name(document.optional_mapping(key))
        elif key == "channel_alias":
            settings[key] = document.text(key)
        elif key in _SWITCHES:
            settings[key] = value
    return settings


def _texts_by_name(mapping: Document | None) -> dict[str, str]:
    if mapping is None:
        return {}
    return {name: mapping.text(name) for name in mapping.content}


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name in ("channel_alias", *_SWITCHES, *_TEXTS):
        value = environ.get(f"CONDA_{name.upper()}")
        if not value:
            continue
        if name in _TEXTS:
            settings[name] = tuple(filter(None, re.split(r"[,\s]+", value)))
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
