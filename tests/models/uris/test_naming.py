from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envkit.models.uris import naming


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("model", "file"),
        ("./s3/model", "file"),
        ("file:///m", "file"),
        ("C:/model", "file"),
        ("s3://b/m", "s3"),
        ("S3://b/m", "s3"),
        ("runs:/1/model", "runs"),
        ("models:/name@alias", "models"),
        ("mlflow-artifacts:/1/model", "mlflow-artifacts"),
        (Path("s3://b/m"), "file"),
    ],
)
def test_a_scheme_has_at_least_two_letters(uri: str | Path, scheme: str) -> None:
    assert naming.scheme_of(uri) == scheme


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://key:secret@bucket/m", "s3://bucket/m"),
        ("https://h/m.zip?X-Amz-Signature=abc&X-Amz-Credential=def", "https://h/m.zip?…"),
        ("https://user:p@ss@h/m", "https://h/m"),
        (
            "abfss://container@account.dfs.core.windows.net/m",
            "abfss://container@account.dfs.core.windows.net/m",
        ),
        ("models:/name@champion", "models:/name@champion"),
        ("a?b", "a?b"),
    ],
)
def test_credentials_are_not_shown(uri: str, shown: str) -> None:
    assert naming.shown(uri) == shown


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://bucket/some/model/", "model"),
        ("s3://bucket", "bucket"),
        ("https://h/a/model.tar.gz?x=1/2", "model"),
        ("models:/churn/3", "churn"),
        ("models:/churn@champion", "churn"),
        ("runs:/0123/my%20model", "my_model"),
        ("https://h/..", "model"),
        ("memory://", "model"),
    ],
)
def test_a_model_is_named_after_the_end_of_its_uri(uri: str, name: str) -> None:
    assert naming.name_of(uri) == name


@given(st.text())
def test_a_name_is_always_a_valid_folder_name(text: str) -> None:
    name = naming.name_of(f"s3://bucket/{text}")

    assert name not in ("", ".", "..")
    assert not {"/", "\0", "\\"} & set(name)


@given(user=st.text("abcXYZ019", min_size=4), password=st.text("abcXYZ019%@:+", min_size=4))
def test_no_message_contains_a_login(user: str, password: str) -> None:
    uri = f"https://{user}:{password}@h.example/m?token={password}"

    message = naming.without_secrets(f"401, message='Unauthorized', url='{uri}' for {uri}", uri)

    assert password not in message
    assert uri not in message
