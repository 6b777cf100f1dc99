"""What uv's configuration files say of where this machine gets packages from, and nothing else of them.

A file may also say what to choose (`resolution`, `constraint-dependencies`, `no-binary`, …), which would make the
same model another environment on each machine; so uv gets a file of ours with the harmless settings alone.
https://docs.astral.sh/uv/concepts/configuration-files/ and https://docs.astral.sh/uv/reference/settings/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WHERE_FROM = {
    "index",
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "index-strategy",
    "keyring-provider",
    "allow-insecure-host",
    "native-tls",
    "system-certs",
    "offline",
    "http-proxy",
    "https-proxy",
    "no-proxy",
    "concurrent-downloads",
    "python-downloads",
    "python-downloads-json-url",
    "python-install-mirror",
}
_PLACES = {"index-url", "extra-index-url", "find-links", "url"}  # relative ones start at the file


def of_machine(environ: Mapping[str, str]) -> dict[str, Any]:
    """Give the settings to hand on, as uv would read them; empty when there are none.

    The file that UV_CONFIG_FILE names, else the user's over the system's. A file that is no TOML
    says nothing here; uv would refuse to run, although nothing that it may say is needed.
    """
    if named := environ.get("UV_CONFIG_FILE"):
        return _read(Path(named))
    home = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    folders = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    systems = [Path(each) / "uv" / "uv.toml" for each in folders.split(":")] + [
        Path("/etc/uv/uv.toml")
    ]
    system = next((path for path in systems if path.is_file()), None)
    return {**(_read(system) if system else {}), **_read(Path(home) / "uv" / "uv.toml")}


def arguments(settings: Mapping[str, Any], folder: Path) -> list[str | Path]:
    """Give the arguments that make uv read these settings, from a file in `folder`, and no others."""
    if not settings:
        return ["--no-config"]
    import tomli_w  # only where uv is configured

    path = folder / "uv.toml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        tomli_w.dump(settings, stream)
    return ["--config-file", path]


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # 2 ms, where uv is configured

        content = tomllib.loads(text)
    except (OSError, ValueError):
        return {}
    under_pip = content.get("pip", {})
    if isinstance(under_pip, dict):
        kept = {**content, **under_pip}
    else:
        kept = content
    return {
        name: _absolute(name, value, path.parent)
        for name, value in kept.items()
        if name in _WHERE_FROM
    }


def _absolute(name: str, value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_absolute(name, each, folder) for each in value]
    if isinstance(value, dict):
        return {key: _absolute(key, each, folder) for key, each in value.items()}
    if name in _PLACES and isinstance(value, str) and "://" not in value:
        return (folder / value).absolute().as_uri()
    return value
