"""The settings in uv's configuration files that say where packages come from, and no others.

A file may also say what to choose (`resolution`, `constraint-dependencies`, `no-binary`, …): then
the same model would give another environment on each machine. So uv gets a file of ours with only
the harmless settings.

https://docs.astral.sh/uv/concepts/configuration-files/ and
https://docs.astral.sh/uv/reference/settings/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
# relative ones start at the file
_PLACES = {"index-url", "extra-index-url", "find-links", "url"}


def of_machine(environ: Mapping[str, str]) -> dict[str, Any]:
    """Give the settings to pass on, as uv would read them; empty when there are none.

    They are those of the file that UV_CONFIG_FILE names, else the user's over the system's. A file
    that is not TOML has none: uv would refuse to run, although nothing in it is needed.
    """
    named = environ.get("UV_CONFIG_FILE")
    if named:
        return _read(Path(named))
    settings: dict[str, Any] = {}
    for path in _system_files(environ):
        if path.is_file():
            settings = _read(path)
            break
    config = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return settings | _read(Path(config) / "uv" / "uv.toml")


def _system_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where uv looks for settings of the system; the first file counts."""
    folders = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    for folder in folders.split(":"):
        yield Path(folder) / "uv" / "uv.toml"
    yield Path("/etc/uv/uv.toml")


def arguments(settings: Mapping[str, Any], folder: Path) -> list[str | Path]:
    """Give the arguments that make uv read only these settings, from a file in `folder`."""
    if not settings:
        return ["--no-config"]
    # only where uv is configured
    import tomli_w

    path = folder / "uv.toml"
    # an index may have credentials
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        tomli_w.dump(settings, stream)
    return ["--config-file", path]


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        # 2 ms, where uv is configured
        import tomllib

        content = tomllib.loads(text)
    except (OSError, ValueError):
        return {}
    of_pip = content.get("pip", {})
    if isinstance(of_pip, dict):
        content |= of_pip
    return {
        name: _absolute(name, value, path.parent)
        for name, value in content.items()
        if name in _WHERE_FROM
    }


def _absolute(name: str, value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_absolute(name, item, folder) for item in value]
    if isinstance(value, dict):
        return {key: _absolute(key, item, folder) for key, item in value.items()}
    if name in _PLACES and isinstance(value, str) and "://" not in value:
        return (folder / value).absolute().as_uri()
    return value
