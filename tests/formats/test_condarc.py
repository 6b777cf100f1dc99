"""conda's settings, from files and variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidFile
from envkit.formats import condarc
from envkit.formats.condarc import Condarc


def test_without_any_file_conda_forge_is_where_everybody_finds_it(tmp_path: Path) -> None:
    assert condarc.of_machine({}, tmp_path) == Condarc()


def test_files_nearer_to_the_user_win_and_variables_over_all(tmp_path: Path) -> None:
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "condarc").write_text(
        "channel_alias: https://a\nchannels: [one]\nssl_verify: false\n"
    )
    (tmp_path / ".condarc").write_text(
        "channel_alias: https://b/$TEAM\ncustom_channels:\n  ours: https://${HOST}/x\n"
    )
    (tmp_path / "named").write_text(
        "default_channels: [https://d]\noffline: true\nshow_channel_urls: yes\n"
    )
    environ = {
        "CONDARC": str(tmp_path / "named"),
        "TEAM": "team",
        "HOST": "h",
        "CONDA_CHANNELS": "two, three",
        "CONDA_SSL_VERIFY": "/etc/ca.pem",
    }

    assert condarc.of_machine(environ, tmp_path) == Condarc(
        channel_alias="https://b/team",
        channels=("two", "three", "one"),
        default_channels=("https://d",),
        custom_channels={"ours": "https://h/x"},
        ssl_verify="/etc/ca.pem",
        offline=True,
    )


@pytest.mark.parametrize(
    "text",
    ["channels: 5\n", "channel_alias: [x]\n", "custom_channels: {a: [1]}\n", "- x\n", "a: ["],
)
def test_a_malformed_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / ".condarc").write_text(text)

    with pytest.raises(InvalidFile, match=r"\.condarc"):
        condarc.of_machine({}, tmp_path)


def test_files_of_the_installation_and_parts_in_folders_count(tmp_path: Path) -> None:
    root, prefix = tmp_path / "miniconda3", tmp_path / "env"
    (root / "condarc.d").mkdir(parents=True)
    prefix.mkdir()
    (root / ".condarc").write_text("channels: [root]\ncustom_channels: {a: https://a}\n")
    (root / "condarc.d" / "10.yml").write_text("channels: [part]\n")
    (root / "condarc.d" / "notes.txt").write_text("channels: [no]\n")
    (tmp_path / ".condarc").write_text("channels: [mine]\ncustom_channels: {b: https://b}\n")
    (prefix / ".condarc").write_text("channels: [env, root]\n")
    found = condarc.of_machine({"CONDA_PREFIX": str(prefix)}, tmp_path, root)

    assert found.channels == ("env", "root", "mine", "part")
    assert found.custom_channels == {"a": "https://a", "b": "https://b"}
    for variables in ({"CONDA_ROOT": str(root)}, {"CONDA_EXE": f"{root}/bin/conda"}):
        assert condarc.of_machine(variables, tmp_path).channels == ("mine", "part", "root")


def test_the_answer_of_the_program_is_read(tmp_path: Path) -> None:
    sources = {
        "/root/.condarc": {"channels": ["one"], "channel_alias": "https://a/$TEAM", "auto": 1},
        "/home/.condarc": {"channels": ["two"], "pkgs_dirs": ["/cache"], "ssl_verify": False},
        "envvars": {"channels": "three,two", "offline": "true"},
        "cmd_line": {"json": True},
        "odd": None,
    }

    assert condarc.of_sources(sources, {"TEAM": "t"}) == Condarc(
        channels=("three", "two", "one"),
        channel_alias="https://a/t",
        pkgs_dirs=("/cache",),
        ssl_verify=False,
        offline=True,
    )
    with pytest.raises(InvalidFile, match="odd"):
        condarc.of_sources({"odd": {"channels": 5}}, {})


@pytest.mark.parametrize(
    ("url", "settings", "name"),
    [
        ("https://conda.anaconda.org/conda-forge", {}, "conda-forge"),
        ("https://conda.anaconda.org/conda-forge/label/dev", {}, "conda-forge/label/dev"),
        (
            "https://m.example/x/conda-forge",
            {"channel_alias": "https://m.example/x/"},
            "conda-forge",
        ),
        (
            "http://m.example/x/conda-forge",
            {"channel_alias": "https://u:p@m.example/t/tk/x"},
            "conda-forge",
        ),
        ("https://m.example/y/conda-forge", {"channel_alias": "https://m.example/x"}, ""),
        (
            "https://o.example/ours/sub",
            {"custom_channels": {"ours": "https://o.example"}},
            "ours/sub",
        ),
        ("https://o.example/oursbut", {"custom_channels": {"ours": "https://o.example"}}, ""),
        ("https://repo.anaconda.com/pkgs/main", {}, ""),
        ("https://d.example/main", {"default_channels": ("https://d.example/main/",)}, "defaults"),
        ("https://conda.anaconda.org/main", {"default_channels": ("main",)}, "defaults"),
        ("https://other.example/conda-forge", {}, ""),
        ("file:///srv/conda-forge", {"channel_alias": "file:///srv"}, "conda-forge"),
    ],
)
def test_a_url_gets_the_name_that_leads_to_it(
    url: str, settings: dict[str, Any], name: str
) -> None:
    assert Condarc(**settings).name_of(url) == name
