"""The indexes that uv and pip are configured with on this machine, credentials included."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from envkit.formats.credentials import placeholders, without_credentials

_UV_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
_UV_VARIABLES = (*_UV_INDEX_VARIABLES, "UV_FIND_LINKS")
_PIP_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")
_URL = re.compile(r"https?://[^\s\"',]+")
_PIP_SETTINGS = re.compile(r"^\s*(?:extra-)?index-url|^\s*find-links", re.MULTILINE)


def with_placeholders(index: str) -> str:
    """Give the URL of an index, with placeholders for credentials that are configured here."""
    bare = _bare(index)
    configured = (url for url in _configured_urls(os.environ) if _bare(url) == bare)
    return placeholders(next(configured, index))


def configured_for_uv(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the index URLs of uv's variables without the indexes' names, as pip accepts them."""
    values = (environ.get(name, "") for name in _UV_INDEX_VARIABLES)
    return tuple(url for value in values for url in _URL.findall(value))


def pip_has_its_own(environ: Mapping[str, str]) -> bool:
    """Whether pip is configured with indexes or folders, which uv does not know."""
    if any(environ.get(name) for name in _PIP_VARIABLES):
        return True
    return any(_PIP_SETTINGS.search(text) for text in _texts(_pip_files(environ)))


def _bare(url: str) -> str:
    return without_credentials(url).rstrip("/")


def _configured_urls(environ: Mapping[str, str]) -> Iterator[str]:
    for name in (*_UV_VARIABLES, *_PIP_VARIABLES):
        yield from _URL.findall(environ.get(name, ""))
    for text in _texts((*_pip_files(environ), *_uv_files(environ))):
        yield from _URL.findall(text)


def _pip_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """https://pip.pypa.io/en/stable/topics/configuration/."""
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = (
        Path("/etc/pip.conf"),
        Path.home() / ".pip" / "pip.conf",
        config / "pip" / "pip.conf",
    )
    named = environ.get("PIP_CONFIG_FILE")
    if named:
        return (Path(named), *files)
    return files


def _uv_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    named = environ.get("UV_CONFIG_FILE")
    if named:
        return (Path(named),)
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (Path("/etc/uv/uv.toml"), config / "uv" / "uv.toml")


def _texts(paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
