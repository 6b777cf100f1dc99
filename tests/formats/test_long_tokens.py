"""Long words and blanks in a model's text cost time in proportion to their length."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from envkit.formats import credentials, match_spec, redaction, requirement_lines

LENGTH = 1_000_000
SECONDS = 5.0  # a search that is quadratic takes more than an hour
WORDS = ["a", "A+", "a@", "://", "://a@", "?token=", "http", "${A", "&key=", " ", "\t", "a "]
READERS = [
    credentials.without_credentials,
    credentials.placeholders,
    credentials.placeholder_names,
    lambda text: credentials.secrets_in([text]),
    redaction.redacted,
    lambda text: requirement_lines._COMMENT.sub("", text),
    lambda text: match_spec._SPACE_IN_BOUND.sub("", text),
]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("read", READERS)
def test_a_token_of_1_mb_is_read_in_linear_time(read: Callable[[str], object], word: str) -> None:
    started = time.process_time()
    read(word * (LENGTH // len(word)))

    assert time.process_time() - started < SECONDS


def test_words_without_a_scheme_or_an_end_are_no_urls() -> None:
    for text in ("://u:p@h/x", "https://", "a b", "u:p@h"):
        assert credentials.placeholders(text) == text


def test_urls_in_long_texts_still_lose_their_credentials() -> None:
    text = "x" * 1000 + " --index-url=https://user:secret@h.example/simple, " + "y" * 1000

    assert "secret" not in credentials.placeholders(text)
    assert "INDEX_H_EXAMPLE_PASSWORD" in credentials.placeholders(text)
