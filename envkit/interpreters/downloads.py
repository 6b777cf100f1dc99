"""Let uv download an interpreter: https://docs.astral.sh/uv/concepts/python-versions/#installing-a-python-version.

It goes where uv keeps its own, so that uv lists, upgrades and removes it. uv checks the digest of
what it downloads.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from envkit.child import process, uv, variables
from envkit.errors import ToolNotFound
from envkit.formats import redaction, uv_toml

_SECONDS = 900.0
_ITS_OWN = (
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_INSTALL_MIRROR",
    "UV_PYTHON_DOWNLOADS_JSON_URL",
    "UV_PYTHON_CACHE_DIR",
)
_REFUSING = {"never", "manual"}  # manual: only when the user calls `uv python install`


def fetch(version: str, environ: Mapping[str, str], report: Callable[[str], None]) -> str:
    """Download an interpreter (`3.11.7`, `3.11`) with uv; give nothing, or why there is none, as a sentence.

    Nothing is tried where UV_OFFLINE, UV_PYTHON_DOWNLOADS or uv's settings say so.
    UV_PYTHON_INSTALL_MIRROR, UV_PYTHON_DOWNLOADS_JSON_URL and UV_PYTHON_INSTALL_DIR are followed.
    """
    settings = uv_toml.of_machine(environ)
    if why := _unwanted(environ, settings):
        return f"It was not downloaded: {why}."
    try:
        program = uv.program()
    except ToolNotFound:
        return "It was not downloaded: uv is not installed."
    report(f"Downloading Python {version} with uv")
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        configured = uv_toml.arguments(settings, Path(folder))
        argv = [program, "python", "install", "--no-bin", "--color", "never", *configured, version]
        ended = process.run(
            argv, environment=_variables(environ), timeout=_SECONDS, keep_output=True
        )
    if ended.succeeded:
        return ""
    return f"uv could not download it: {_reason(redaction.redacted(ended.output, redaction.secrets_in([str(settings)])))}"


def _unwanted(environ: Mapping[str, str], settings: Mapping[str, object]) -> str:
    if environ.get("UV_OFFLINE", "").lower() in {
        "1",
        "true",
        "yes",
        "on",
        "y",
        "t",
    } or settings.get("offline"):
        return "uv is told to be offline"
    wish = environ.get("UV_PYTHON_DOWNLOADS", "")
    if wish.lower() in _REFUSING:
        return f"UV_PYTHON_DOWNLOADS is {wish}"
    if not wish and str(settings.get("python-downloads", "")) in _REFUSING:
        return f"uv's setting python-downloads is {settings['python-downloads']}"
    return ""


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    own = {name: environ[name] for name in _ITS_OWN if environ.get(name)}
    return {
        "UV_HTTP_RETRIES": "1",
        **variables.for_installer(environ),
        **own,
        "UV_PYTHON_DOWNLOADS": "automatic",
    }


def _reason(output: str) -> str:
    """The last of uv's causes is the deepest: a name that is not known, a digest that does not fit; uv wraps it."""
    causes = re.split(r"(?m)^ *(?:error|cause|Caused by):", output)
    return f"{' '.join(causes[-1].split()).rstrip('.') or 'it said nothing'}."
