"""Let uv download an interpreter.

https://docs.astral.sh/uv/concepts/python-versions/#installing-a-python-version

It goes where uv keeps its own, so that uv lists, upgrades and removes it. uv checks the digest of
what it downloads.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from envkit.child import process, uv, variables
from envkit.child.progress import Reporter
from envkit.child.variables import Variables
from envkit.errors import ToolNotFound
from envkit.formats import redaction, uv_toml

_SECONDS = 900.0
_OF_DOWNLOADS = (
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_INSTALL_MIRROR",
    "UV_PYTHON_DOWNLOADS_JSON_URL",
    "UV_PYTHON_CACHE_DIR",
)
_NO_DOWNLOADS = {"never", "manual"}  # manual: only when the user calls `uv python install`
_TRUE = {"1", "true", "yes", "on", "y", "t"}


def fetch(version: str, environ: Variables, report: Reporter) -> str:
    """Download an interpreter (`3.11.7`, `3.11`) with uv; return why it failed, or an empty text.

    Nothing is tried where UV_OFFLINE, UV_PYTHON_DOWNLOADS or uv's settings say so.
    UV_PYTHON_INSTALL_MIRROR, UV_PYTHON_DOWNLOADS_JSON_URL and UV_PYTHON_INSTALL_DIR are followed.
    """
    settings = uv_toml.of_machine(environ)
    why = _why_not_allowed(environ, settings)
    if why:
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
    output = redaction.redacted(ended.output, redaction.secrets_in([str(settings)]))
    return f"uv could not download it: {_reason(output)}"


def _why_not_allowed(environ: Variables, settings: Mapping[str, object]) -> str:
    if environ.get("UV_OFFLINE", "").lower() in _TRUE or settings.get("offline"):
        return "uv is set to be offline"
    variable = environ.get("UV_PYTHON_DOWNLOADS", "")
    if variable.lower() in _NO_DOWNLOADS:
        return f"UV_PYTHON_DOWNLOADS is {variable}"
    setting = str(settings.get("python-downloads", ""))
    if not variable and setting in _NO_DOWNLOADS:
        return f"uv's setting python-downloads is {setting}"
    return ""


def _variables(environ: Variables) -> dict[str, str]:
    of_downloads = {name: environ[name] for name in _OF_DOWNLOADS if environ.get(name)}
    return {
        "UV_HTTP_RETRIES": "1",
        **variables.for_installer(environ),
        **of_downloads,
        "UV_PYTHON_DOWNLOADS": "automatic",
    }


def _reason(output: str) -> str:
    """Return the last of uv's causes, the deepest: an unknown name, a wrong digest. uv wraps it."""
    causes = re.split(r"(?m)^ *(?:error|cause|Caused by):", output)
    reason = " ".join(causes[-1].split()).rstrip(".")
    return f"{reason or 'it printed nothing'}."
