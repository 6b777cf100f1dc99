"""From names of channels to URLs, and credentials apart from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envkit.environments.conda import channels
from envkit.formats.condarc import Condarc

HERE = Path("/model")


@pytest.mark.parametrize(
    ("names", "settings", "urls"),
    [
        (["conda-forge"], {}, ["https://conda.anaconda.org/conda-forge/"]),
        (["conda-forge/label/dev"], {}, ["https://conda.anaconda.org/conda-forge/label/dev/"]),
        (
            ["conda-forge"],
            {"channel_alias": "https://m.example/x/"},
            ["https://m.example/x/conda-forge/"],
        ),
        (
            ["defaults", "nodefaults"],
            {"default_channels": ("https://a", "b")},
            ["https://a/", "https://conda.anaconda.org/b/"],
        ),
        (
            ["ours/x", "ours"],
            {"custom_channels": {"ours": "https://o"}},
            ["https://o/ours/x/", "https://o/ours/"],
        ),
        (["./c", "/abs/d", "file:///e"], {}, ["file:///model/c/", "file:///abs/d/", "file:///e/"]),
        ([], {}, ["https://conda.anaconda.org/conda-forge/"]),
        ([], {"channels": ("https://mine",)}, ["https://mine/"]),
        (["a", "a", "https://conda.anaconda.org/a/"], {}, ["https://conda.anaconda.org/a/"]),
    ],
)
def test_names_become_urls(names: list[str], settings: dict[str, Any], urls: list[str]) -> None:
    assert [each.url for each in channels.resolved(names, Condarc(**settings), HERE, {})] == urls


@pytest.mark.parametrize(
    ("name", "url", "login"),
    [
        (
            "https://u:p%40w@h:8/c",
            "https://h:8/c/",
            {"h": {"BasicHTTP": {"username": "u", "password": "p@w"}}},
        ),
        (
            "https://${U}:${P}@h/c",
            "https://h/c/",
            {"h": {"BasicHTTP": {"username": "anna", "password": "s3/c"}}},
        ),
        ("https://h/t/tk-1/c/", "https://h/c/", {"h": {"CondaToken": "tk-1"}}),
        ("https://tk-2@h/c", "https://h/c/", {"h": {"BearerToken": "tk-2"}}),
        ("https://${NONE}:x@h/c", "https://h/c/", {}),
    ],
)
def test_credentials_are_taken_out_of_urls(name: str, url: str, login: dict[str, Any]) -> None:
    (found,) = channels.resolved([name], Condarc(), HERE, {"U": "anna", "P": "s3/c"})

    assert (found.url, found.login) == (url, login)
    assert bool(found.secrets) == bool(login)


def test_a_channel_in_front_of_a_package_becomes_a_url() -> None:
    specs = ["python=3.11", "ours::numpy >=1", "https://u:p@h/c::x"]
    found = [*channels.in_specs(specs, Condarc(channel_alias="https://m"), HERE, {})]

    assert [spec for spec, _ in found] == [
        "python=3.11",
        "https://m/ours/::numpy >=1",
        "https://h/c/::x",
    ]
