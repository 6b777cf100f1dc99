"""The environment variables that envkit's child processes get.

Two kinds of programs, two rules:

*A program in a rebuilt environment* sees what the caller has, but nothing that would make its
Python import from elsewhere or tie it to the environment envkit itself runs in. Removed are every
`PYTHON*` variable that changes where Python looks or what it runs first, the marks of active
virtual and conda environments, and the settings of installers. Its `PATH` starts with the
environment's own programs.

*An installer* gets where packages come from (indexes, proxies, certificates, credentials,
time-outs), since that depends on the machine and no model can know it. It does not get what to
choose: a variable that would change what gets installed or where (`UV_RESOLUTION`,
`PIP_CONSTRAINT`, `PIP_TARGET`, …) is removed. Only variables known to be harmless are kept.
(`formats.uv_toml` and `formats.pip_conf` do the same for the configuration files of uv and pip;
virtualenv reads none.)

Everything else (`HOME`, `LANG`, `SSL_CERT_FILE`, `HTTPS_PROXY`, `LD_LIBRARY_PATH`, `NETRC`, …) is
left as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument

Variables = Mapping[str, str]
"""Environment variables by their names."""

_REMOVED = re.compile(
    r"PYTHON(PATH|HOME|STARTUP|USERBASE|NOUSERSITE|EXECUTABLE|PLATLIBDIR|SAFEPATH|INSPECT)"
    r"|__PYVENV_LAUNCHER__|VIRTUAL_ENV.*|_OLD_VIRTUAL_.*"
    r"|PYENV_(VERSION|VIRTUAL_ENV|DIR|HOOK_PATH)"
    r"|_?CONDA_.*|MAMBA_.*|PIXI_.*|POETRY_ACTIVE|PIPENV_.*|UV_.*|UV|PIP_.*|__PIP_.*"
    # each option of virtualenv is also a variable, such as VIRTUALENV_SYSTEM_SITE_PACKAGES
    r"|VIRTUALENV_.*",
)

_KEPT_FOR_INSTALLERS = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_.*_(USERNAME|PASSWORD)|FIND_LINKS"
    r"|KEYRING_PROVIDER|CREDENTIALS_DIR|INSECURE_HOST|SYSTEM_CERTS|NATIVE_TLS|HTTP_.*"
    r"|REQUEST_TIMEOUT|CONCURRENT_.*|OFFLINE)"
    r"|CONDA_(OVERRIDE_\w+|CHANNEL_ALIAS|CHANNELS|DEFAULT_CHANNELS|SSL_VERIFY|OFFLINE"
    r"|CLIENT_SSL_CERT\w*|REMOTE_\w+|PKGS_DIRS|SOLVER)|MAMBA_ROOT_PREFIX"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|CLIENT_CERT|PROXY|TRUSTED_HOST"
    r"|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|KEYRING_PROVIDER|CONFIG_FILE)",
)

_SET_FOR_INSTALLERS = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
    "PYTHONNOUSERSITE": "1",
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    # virtualenv then reads no virtualenv.ini, whose options would decide as its variables do
    "VIRTUALENV_CONFIG_FILE": os.devnull,
}


def for_program(
    outer: Variables, python: Path, variables: Variables | None = None
) -> dict[str, str]:
    """Return the variables for a program that runs in the rebuilt environment of `python`.

    `outer` are the variables envkit has; `variables` are added last and win: the caller named them.
    """
    kept = {name: value for name, value in outer.items() if not _REMOVED.fullmatch(name)}
    folders = [str(python.parent)]
    if outer.get("PATH"):
        folders.append(outer["PATH"])
    kept["PATH"] = os.pathsep.join(folders)
    kept["PYTHONNOUSERSITE"] = "1"
    return {**kept, **(variables or {})}


def for_installer(outer: Variables) -> dict[str, str]:
    """Return the variables for a program that makes an environment or installs into one."""
    kept = {
        name: value
        for name, value in outer.items()
        if _KEPT_FOR_INSTALLERS.fullmatch(name) or not _REMOVED.fullmatch(name)
    }
    return {**kept, **_SET_FOR_INSTALLERS}


def check(variables: Mapping[Any, Any]) -> None:
    """Refuse variables that no process can have. Raises `InvalidArgument`, which holds no value."""
    for name, value in variables.items():
        if not _is_possible(name, value):
            raise InvalidArgument(
                f"extra_envs: {name!r} cannot be set; name and value must be text without NUL."
            )


def _is_possible(name: Any, value: Any) -> bool:
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    return name != "" and "=" not in name and "\0" not in name + value
