"""Files of environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envkit.errors import InvalidFile
from envkit.formats import env_file

HERE = Path("some.env")
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True).filter(
    lambda name: name != "export"
)
VALUES = st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("\n  \n# A=1\n", ()),
        ("A=1\nB=2\n", (("A", "1"), ("B", "2"))),
        ("A=1\r\nB=2\r\n", (("A", "1"), ("B", "2"))),
        ("A=", (("A", ""),)),
        ("A", (("A", None),)),
        ("export A=1", (("A", "1"),)),
        ("export=1", (("export", "1"),)),
        ("A='b c'", (("A", "b c"),)),
        ('A="b c"', (("A", "b c"),)),
        ("A='b", (("A", "'b"),)),
        ("A='", (("A", "'"),)),
        ("A=b=c # d", (("A", "b=c # d"),)),
        ("A = b", (("A", "b"),)),
        ("A=$HOME", (("A", "$HOME"),)),
        ("A=é", (("A", "é"),)),
    ],
)
def test_a_line_is_an_assignment_or_a_name(
    text: str, found: tuple[env_file.Assignment, ...]
) -> None:
    assert tuple(env_file.parse(text, HERE)) == found


@pytest.mark.parametrize("line", ["=canary", "two canary", "'A'=canary"])
def test_another_line_is_named_by_its_number_and_no_value_is_told(line: str) -> None:
    with pytest.raises(InvalidFile) as raised:
        list(env_file.parse(f"A=1\n{line}\n", HERE))

    assert "some.env, line 2: is neither" in str(raised.value)
    assert "canary" not in str(raised.value)


@given(st.dictionaries(NAMES, VALUES.map(str.strip)))
def test_what_is_written_in_quotes_is_read_back(variables: dict[str, str]) -> None:
    text = "".join(f"{name}='{value}'\n" for name, value in variables.items())

    assert env_file.resolved(env_file.parse(text, HERE), {}) == variables


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = dict(env_file.parse(text, HERE))
    except InvalidFile:
        return
    assert all(name and "=" not in name for name in found)


def test_the_last_one_wins_and_a_name_alone_takes_the_callers_value(tmp_path: Path) -> None:
    (tmp_path / "e").write_text("A=1\nB\nA=2\n")

    assert env_file.resolved(env_file.read(tmp_path / "e"), {"B": "mine", "C": "no"}) == {
        "A": "2",
        "B": "mine",
    }
    with pytest.raises(KeyError):
        env_file.resolved(env_file.read(tmp_path / "e"), {})
