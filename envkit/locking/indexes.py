"""What this machine's installers are told of indexes by the environment, credentials included."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from envkit.formats.credentials import placeholders, without_credentials

_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_OF_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")
_URL = re.compile(r"https?://[^\s\"',]+")


def placeheld(index: str) -> str:
    """Give the URL of an index; where this machine is configured with credentials for it, with placeholders."""
    bare = without_credentials(index).rstrip("/")
    known = (url for url in _configured(os.environ) if without_credentials(url).rstrip("/") == bare)
    return placeholders(next(known, index))


def of_uv(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The indexes that uv is told of by variables, without names, so that pip can be told of them too."""
    return tuple(url for name in _OF_UV[:4] for url in _URL.findall(environ.get(name, "")))


def pip_has_its_own(environ: Mapping[str, str]) -> bool:
    """Whether pip is told of places that uv does not know."""
    return any(environ.get(name) for name in _OF_PIP) or any(
        re.search(r"^\s*(?:extra-)?index-url|^\s*find-links", text, re.MULTILINE)
        for text in _pip_files(environ)
    )


def _configured(environ: Mapping[str, str]) -> Iterator[str]:
    for text in (
        *(environ.get(name, "") for name in (*_OF_UV, *_OF_PIP)),
        *_pip_files(environ),
        *_uv_files(environ),
    ):
        yield from _URL.findall(text)


def _pip_files(environ: Mapping[str, str]) -> Iterator[str]:
    """https://pip.pypa.io/en/stable/topics/configuration/."""
    if named := environ.get("PIP_CONFIG_FILE"):
        yield from _texts(Path(named))
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    yield from _texts(
        Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf", config / "pip" / "pip.conf"
    )


def _uv_files(environ: Mapping[str, str]) -> Iterator[str]:
    config = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    named = environ.get("UV_CONFIG_FILE")
    yield from _texts(
        *([Path(named)] if named else [Path("/etc/uv/uv.toml"), config / "uv" / "uv.toml"])
    )


def _texts(*paths: Path) -> Iterator[str]:
    for path in paths:
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
