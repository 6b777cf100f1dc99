from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from envkit.errors import InvalidFile
from envkit.formats.text import read_text
from tests.builders.files import Write


@pytest.mark.parametrize(
    "content",
    [
        "é".encode(),
        codecs.BOM_UTF8 + "é".encode(),
        codecs.BOM_UTF16_LE + "é".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "é".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "é".encode("utf-32-le"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding_and_is_dropped(write: Write, content: bytes) -> None:
    assert read_text(write({"a": content})) == "é"


def test_latin_1_is_named_with_line_and_byte(write: Write) -> None:
    path = write({"a": b"one\r\ntw\xe9\r\n"})

    with pytest.raises(InvalidFile, match="line 2: byte 0xe9 is not UTF-8 text") as caught:
        read_text(path)

    assert caught.value.hint == "If the file is Latin-1, save it as UTF-8."


def test_latin_1_that_is_declared_is_read_where_the_format_allows_that(write: Write) -> None:
    path = write({"a": b"# -*- coding: latin-1 -*-\n# \xe9\n"})

    assert "é" in read_text(path, declared=True)
    with pytest.raises(InvalidFile):
        read_text(path)


def test_an_encoding_that_does_not_exist_is_named(write: Write) -> None:
    with pytest.raises(InvalidFile, match="klingon"):
        read_text(write({"a": b"# coding: klingon\n"}), declared=True)


def test_a_nul_character_is_refused(write: Write) -> None:
    with pytest.raises(InvalidFile, match="line 2: holds a NUL"):
        read_text(write({"a": b"a\nb\0"}))


def test_a_file_beyond_the_limit_is_refused(write: Write) -> None:
    assert read_text(write({"a": b"x" * 10}), max_bytes=10)
    with pytest.raises(InvalidFile, match="larger than 9 bytes"):
        read_text(write({"a": b"x" * 10}), max_bytes=9)


def test_what_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidFile, match="there is no such file"):
        read_text(tmp_path / "gone")
    with pytest.raises(InvalidFile, match="not a regular file"):
        read_text(tmp_path)
    with pytest.raises(InvalidFile, match="not a regular file"):
        read_text(tmp_path / "pipe")
