"""The settings in pip's configuration files that say where packages come from, and no others.

A file may also say what to choose or where to put it (`constraint`, `pre`, `target`, `no-deps`, …):
then the same model would give another environment on each machine. So pip reads no file, and gets
the harmless settings as variables.

https://pip.pypa.io/en/stable/topics/configuration/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_WHERE_FROM = {
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "cert",
    "client-cert",
    "proxy",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
    "keyring-provider",
}
# the section of a command comes before that of all commands, whichever file has them
_SECTIONS = ("global", "install")


def of_machine(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings to pass on, as `pip install` would read them from files and variables.

    A file that cannot be parsed has none: pip would refuse to run, although nothing in it is
    needed.
    """
    settings: dict[str, str] = {}
    texts = [_read(path) for path in _files(environ) if path.is_file()]
    for section in _SECTIONS:
        for sections in texts:
            settings.update(sections.get(section, {}))
    for name in _WHERE_FROM:
        value = environ.get(_variable(name), "").strip()
        if value:
            settings[name] = value
    return settings


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make pip read these settings only."""
    named = {_variable(name): value for name, value in settings.items()}
    # with this value pip reads none of its files
    return {**named, "PIP_CONFIG_FILE": os.devnull}


def _variable(name: str) -> str:
    return f"PIP_{name.upper().replace('-', '_')}"


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's configuration files; later ones win."""
    home = Path(environ.get("HOME") or Path.home())
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    if named:
        yield Path(named)


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Return the settings of each section."""
    # 5 ms, only where pip is configured
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, ValueError, configparser.Error):
        return {}
    return {section: _where_from(parser.items(section)) for section in parser.sections()}


def _where_from(items: list[tuple[str, str]]) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in items}
    return {name: value for name, value in named.items() if name in _WHERE_FROM}
