"""conda's settings, from files and variables."""

from __future__ import annotations

from pathlib import Path

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
        channels=("two", "three"),
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
