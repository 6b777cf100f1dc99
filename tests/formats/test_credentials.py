"""Credentials become placeholders that installers fill in."""

from __future__ import annotations

import pytest

from envkit.formats.credentials import filled, placeholder_names, placeholders, without_credentials

CASES = [
    (
        "https://me:pass@pypi.corp.example/simple",
        "https://${INDEX_PYPI_CORP_EXAMPLE_USERNAME}:${INDEX_PYPI_CORP_EXAMPLE_PASSWORD}@pypi.corp.example/simple",
    ),
    (
        "a @ git+https://ghp_x1@github.com/o/r@abc",
        "a @ git+https://${INDEX_GITHUB_COM_TOKEN}@github.com/o/r@abc",
    ),
    ("a @ git+ssh://git@github.com/o/r@abc", "a @ git+ssh://git@github.com/o/r@abc"),
    ("ssh://me:pw@host:22/r", "ssh://me:${INDEX_HOST_PASSWORD}@host:22/r"),
    ("https://me:p@ss@host/r", "https://${INDEX_HOST_USERNAME}:${INDEX_HOST_PASSWORD}@host/r"),
    ("https://:pw@host/r", "https://:${INDEX_HOST_PASSWORD}@host/r"),
    (
        "https://host/a.whl?token=abc&x=1#sha256=1",
        "https://host/a.whl?token=${INDEX_HOST_TOKEN}&x=1#sha256=1",
    ),
    ("https://${USER}:${PASSWORD}@host/simple", "https://${USER}:${PASSWORD}@host/simple"),
    ("git+https://host/o/r@v1#subdirectory=a", "git+https://host/o/r@v1#subdirectory=a"),
    ("numpy==1.0 me@example.org", "numpy==1.0 me@example.org"),
]


@pytest.mark.parametrize(("text", "written"), CASES)
def test_credentials_become_placeholders(text: str, written: str) -> None:
    assert placeholders(text) == written


@pytest.mark.parametrize(("_", "written"), CASES)
def test_placeholders_stay_as_they_are(_: str, written: str) -> None:
    assert placeholders(written) == written


def test_the_variables_that_must_be_set_are_known() -> None:
    text = placeholders("--index-url https://me:pass@host/simple")

    assert placeholder_names(text) == {"INDEX_HOST_USERNAME", "INDEX_HOST_PASSWORD"}


def test_a_password_with_an_at_sign_is_dropped_whole() -> None:
    assert without_credentials("https://me:p@ss@host/simple") == "https://host/simple"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"USER_NAME": "joe", "WORD": "a@b"}, "https://joe:a%40b@host/simple"),
        ({"USER_NAME": "joe"}, "https://host/simple"),
    ],
)
def test_placeholders_are_filled_or_the_url_goes_without(
    environ: dict[str, str], expected: str
) -> None:
    assert filled("https://${USER_NAME}:${WORD}@host/simple", environ) == expected
