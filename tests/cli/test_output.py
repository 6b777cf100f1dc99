"""What commands print of a model: nothing that a terminal obeys or hides."""

from __future__ import annotations

import unicodedata

import click
import pytest
from click.testing import CliRunner

from envkit.cli import main as program
from envkit.cli import output
from envkit.errors import EnvkitError, PredictionFailed
from envkit.formats.text import printable

HOSTILE = "\x1b]0;x\x07\x9b\x7f\u061c\u200b\u200d\u200e\u202e\u2066\u2069\ufeff"


def test_every_control_and_format_character_is_escaped() -> None:
    hostile = [
        character
        for character in map(chr, range(0x20000))
        if unicodedata.category(character) in {"Cc", "Cs"}
        or unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF"}
        or unicodedata.bidirectional(character) in {"LRI", "RLI", "FSI", "PDI"}
    ]
    kept = "\n\t"

    for character in {*hostile, *HOSTILE, "\u200f", "\u2028"} - set("x;0]" + kept):
        assert printable(character).isascii()
        assert printable(character).startswith("\\")
    assert printable(f"Zürich {kept} a\r\n 東京 😀") == f"Zürich {kept} a\r\n 東京 😀"


@pytest.mark.parametrize("flags", [[], ["--debug"]])
@pytest.mark.parametrize("kind", ["message", "traceback"])
def test_an_error_shows_nothing_of_a_model_raw(
    monkeypatch: pytest.MonkeyPatch, kind: str, flags: list[str]
) -> None:
    error: EnvkitError = EnvkitError(f"bad {HOSTILE}")
    if kind == "traceback":
        error = PredictionFailed("predict", f"bad {HOSTILE}", f"raised {HOSTILE}")

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("envkit.validating.difference.diff", fails)
    result = CliRunner().invoke(program.main, ["diff", *flags, "a", "b"])

    assert result.exit_code == error.exit_code
    assert not (set(HOSTILE) - set("x;0]")) & set(result.stderr)
    assert "\\u202e" in result.stderr


def test_a_note_keeps_the_colour_of_its_label_only() -> None:
    @click.command()
    def command() -> None:
        output.note(f"a{HOSTILE}", label=click.style("Warning: ", fg="yellow"))

    result = CliRunner().invoke(command, color=True)

    assert result.stderr.startswith("\x1b[33mWarning: \x1b[0ma\\x1b]0;x\\x07")
