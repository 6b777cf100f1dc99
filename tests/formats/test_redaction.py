"""Credentials stay out of messages and keys."""

from __future__ import annotations

import pytest

from envkit.formats import redaction


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@host/simple", "https://***@host/simple"),
        ("https://token@host/simple", "https://***@host/simple"),
        ("git+https://x:y@host/a@v1", "git+https://***@host/a@v1"),
        ("https://host/a@v1", "https://host/a@v1"),
        ("https://host/a?token=abc&x=1", "https://host/a?token=***&x=1"),
        ("me@example.org", "me@example.org"),
        ("https://a:b@h1 and https://c:d@h2", "https://***@h1 and https://***@h2"),
    ],
)
def test_credentials_in_urls_are_hidden(text: str, shown: str) -> None:
    assert redaction.redacted(text) == shown


def test_known_secrets_are_hidden_wherever_they_stand() -> None:
    secrets = redaction.secrets_in(["--index-url https://me:s3cr3t@host/simple"])

    assert redaction.redacted("401 for user me with s3cr3t", secrets) == "401 for user me with ***"


def test_a_url_without_credentials_has_no_secrets() -> None:
    assert redaction.secrets_in(["https://host/simple", "numpy @ https://h/n.whl"]) == frozenset()


def test_the_same_index_with_and_without_credentials_is_one() -> None:
    assert redaction.without_credentials("https://a:b@host/simple") == "https://host/simple"
