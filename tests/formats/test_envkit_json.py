from __future__ import annotations

import json
import math

import pytest

from envkit.errors import InvalidFile
from envkit.formats import envkit_json
from tests.builders.files import Write


def test_equal_content_gives_equal_bytes() -> None:
    assert envkit_json.dumps({"b": [2, 1], "a": "é"}) == envkit_json.dumps({"a": "é", "b": (2, 1)})
    assert envkit_json.dumps({"a": "é"}) == '{\n  "a": "é",\n  "schema_version": 1\n}\n'


def test_numbers_that_json_has_not_are_written_as_text() -> None:
    text = envkit_json.dumps({"values": [math.nan, math.inf, -math.inf, 1.5], "odd": "\ud800"})

    read = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert read["values"] == ["NaN", "Infinity", "-Infinity", 1.5]
    assert text.encode()


def test_what_is_written_is_read(write: Write) -> None:
    path = write({"envkit.json": envkit_json.dumps({"a": {"b": [None, True, 1]}})})

    assert envkit_json.read(path) == {"a": {"b": [None, True, 1]}, "schema_version": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("{", "not valid JSON"),
        ("[]", "expected keys"),
        ("{}", "schema_version: expected a number, found nothing"),
        ('{"schema_version": 2}', "newer than this envkit"),
    ],
)
def test_what_is_no_evidence_is_refused(write: Write, text: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        envkit_json.read(write({"envkit.json": text}))
