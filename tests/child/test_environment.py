"""What child processes see of the caller's variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.child import variables

PYTHON = Path("/store/env/bin/python")

LEAKS = [
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "_CONDA_ROOT",
    "PYENV_VERSION",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_RESOLUTION",
    "UV_PRERELEASE",
    "UV_EXCLUDE_NEWER",
    "UV_CACHE_DIR",
    "UV_LINK_MODE",
    "UV_PROJECT",
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_PRE",
    "PIP_NO_BINARY",
    "PIP_REQUIRE_HASHES",
]

HARMLESS = [
    "HOME",
    "LANG",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
    "OPENAI_API_KEY",
    "PYTHONHASHSEED",
    "LD_LIBRARY_PATH",
]

WHERE_PACKAGES_COME_FROM = [
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_INDEX_PRIVATE_PASSWORD",
    "UV_SYSTEM_CERTS",
    "UV_HTTP_TIMEOUT",
    "PIP_INDEX_URL",
    "PIP_CERT",
    "PIP_PROXY",
    "PIP_TRUSTED_HOST",
]


@pytest.mark.parametrize("name", LEAKS)
def test_what_would_change_imports_or_installs_reaches_no_child(name: str) -> None:
    assert name not in variables.for_program({name: "x"}, PYTHON)
    assert name not in variables.for_installer({name: "x"})


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_left_as_it_is(name: str) -> None:
    assert variables.for_program({name: "x"}, PYTHON)[name] == "x"
    assert variables.for_installer({name: "x"})[name] == "x"


@pytest.mark.parametrize("name", WHERE_PACKAGES_COME_FROM)
def test_only_installers_learn_where_packages_come_from(name: str) -> None:
    assert variables.for_installer({name: "x"})[name] == "x"
    assert name not in variables.for_program({name: "x"}, PYTHON)


def test_the_environments_own_programs_come_first() -> None:
    assert variables.for_program({"PATH": "/usr/bin"}, PYTHON)["PATH"] == "/store/env/bin:/usr/bin"
    assert variables.for_program({}, PYTHON)["PATH"] == "/store/env/bin"


def test_the_user_site_is_never_seen() -> None:
    assert variables.for_program({"PYTHONNOUSERSITE": ""}, PYTHON)["PYTHONNOUSERSITE"] == "1"
    assert variables.for_installer({})["PYTHONNOUSERSITE"] == "1"


def test_what_the_caller_sets_for_the_model_wins() -> None:
    assert variables.for_program({"A": "1"}, PYTHON, {"A": "2", "PYTHONPATH": "/p"})["A"] == "2"
    assert variables.for_program({}, PYTHON, {"PYTHONPATH": "/p"})["PYTHONPATH"] == "/p"
