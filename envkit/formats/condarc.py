"""conda's settings, of which envkit needs where channels are: https://docs.conda.io/projects/conda/en/stable/configuration.html.

They stand in `.condarc` files, of which those nearer to the user win, and in `CONDA_…` variables,
which win over all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envkit.formats.document import Document

DEFAULT_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Condarc:
    """Where channels are.

    channel_alias: the URL that channels' names follow. channels: what is asked when nothing else is
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
    """Read the machine's and the user's files and variables. Raises `InvalidFile` for a file that is malformed."""
    merged: dict[str, Any] = {}
    for path in _places(environ, home):
        if path.is_file() and path.stat().st_size:
            merged |= _known(Document.load(path))
    return _condarc(merged | _from_variables(environ), environ)


def _places(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield where files may be, those that win last, as conda looks for them."""
    yield from (Path("/etc/conda/.condarc"), Path("/etc/conda/condarc"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    yield from (config / "conda/.condarc", config / "conda/condarc")
    yield from (home / ".conda/.condarc", home / ".conda/condarc", home / ".condarc")
    if named := environ.get("CONDARC"):
        yield Path(named)


def _known(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in document.content.items():
        if key in ("channels", "default_channels"):
            found[key] = document.texts(key)
        elif key in ("custom_channels", "proxy_servers"):
            inner = document.optional_mapping(key)
            found[key] = {each: inner.text(each) for each in inner.content} if inner else {}
        elif key == "channel_alias":
            found[key] = document.text(key)
        elif key in ("ssl_verify", "offline"):
            found[key] = value
    return found


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: environ[variable]
        for name in ("channel_alias", "ssl_verify", "offline")
        if environ.get(variable := f"CONDA_{name.upper()}")
    }
    for name in ("channels", "default_channels"):
        if value := environ.get(f"CONDA_{name.upper()}"):
            found[name] = tuple(each for each in re.split(r"[,\s]+", value) if each)
    return found


def _condarc(found: Mapping[str, Any], environ: Mapping[str, str]) -> Condarc:
    def filled(value: str) -> str:
        return re.sub(
            r"\$\{(\w+)\}|\$(\w+)", lambda name: environ.get(name[1] or name[2], name[0]), value
        )

    def filled_all(values: Any) -> tuple[str, ...]:
        return tuple(map(filled, values))

    def filled_values(values: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(value) for name, value in values.items()}

    return Condarc(
        channel_alias=filled(found.get("channel_alias") or DEFAULT_ALIAS),
        channels=filled_all(found.get("channels", ())),
        default_channels=filled_all(found.get("default_channels") or _DEFAULTS),
        custom_channels=filled_values(found.get("custom_channels", {})),
        ssl_verify=_switch_or_text(found.get("ssl_verify", True)),
        proxies=filled_values(found.get("proxy_servers", {})),
        offline=_switch_or_text(found.get("offline", False)) is True,
    )


def _switch_or_text(value: Any) -> bool | str:
    text = str(value).strip()
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    return text
