"""The local index settings, as far as they decide what is installed.

These are uv's and pip's variables and configuration files, without credentials:
https://docs.astral.sh/uv/concepts/indexes/ and
https://pip.pypa.io/en/stable/topics/configuration/. A lock that is installed as it is names each
file by its digest, so that it does not matter where the file comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from envkit.environments.env_type import EnvType
from envkit.formats import pip_conf, uv_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockFile

PYPI = "https://pypi.org/simple"
_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_UV_SETTINGS = ("index", "index-url", "extra-index-url", "find-links", "no-index", "index-strategy")
_OF_PIP = ("index-url", "extra-index-url", "find-links", "no-index")


def deciding(
    manager: EnvType, lock: LockFile | None, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Give the settings that decide what `manager` installs, sorted; empty if a lock decides.

    Raises `InvalidFile` for a lock that breaks its format.
    """
    found = tuple(sorted(_of_pip(environ) if manager is EnvType.VIRTUALENV else _of_uv(environ)))
    if found and lock is not None:
        # 30 ms where indexes are set
        from envkit.environments import locked_packages

        if not locked_packages.obstacle(lock):
            return ()
    return found


def urls(manager: EnvType, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the URLs of the local indexes with credentials; the one used as PyPI is first."""
    if manager is EnvType.VIRTUALENV:
        named = _pip_settings(environ)
        default, more = named.get("index-url", ""), named.get("extra-index-url", "").split()
    else:
        settings = uv_toml.of_machine(environ)
        listed = [each for each in settings.get("index", []) if not each.get("explicit")]
        defaults = [environ.get("UV_DEFAULT_INDEX"), environ.get("UV_INDEX_URL")]
        defaults += [
            *(each.get("url") for each in listed if each.get("default")),
            settings.get("index-url"),
        ]
        default = next((each for each in defaults if each), "")
        more = [
            each.partition("=")[2] if re.match(r"[\w.-]+=", each) else each
            for each in _words(environ, "UV_INDEX")
        ]
        more += [*_words(environ, "UV_EXTRA_INDEX_URL"), *settings.get("extra-index-url", [])]
        more += [str(each.get("url")) for each in listed if not each.get("default")]
    return (default or PYPI, *more)


def _words(environ: Mapping[str, str], name: str) -> list[str]:
    return environ.get(name, "").split()


def _of_uv(environ: Mapping[str, str]) -> Iterator[str]:
    for name in _OF_UV:
        if value := environ.get(name, "").strip():
            yield _told(name, value)
    settings = uv_toml.of_machine(environ)
    yield from (_told(name, settings[name]) for name in _UV_SETTINGS if name in settings)


def _of_pip(environ: Mapping[str, str]) -> Iterator[str]:
    yield from (_told(name, value) for name, value in _pip_settings(environ).items())


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    settings = pip_conf.of_machine(environ)
    return {name: settings[name] for name in _OF_PIP if name in settings}


def _told(name: str, value: Any) -> str:
    return f"{name} {without_credentials(' '.join(str(value).split()))}"
