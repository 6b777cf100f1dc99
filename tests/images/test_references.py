"""References to images are read as container engines read them."""

from __future__ import annotations

import pytest

from envkit.errors import InvalidArgument
from envkit.images import platforms, references, users

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("python", "docker.io/library/python"),
        ("python:3.11", "docker.io/library/python:3.11"),
        ("team/model", "docker.io/team/model"),
        ("index.docker.io/python", "docker.io/library/python"),
        ("localhost/model", "localhost/model"),
        ("127.0.0.1:5000/a/b:1.0", "127.0.0.1:5000/a/b:1.0"),
        ("[::1]:5000/a", "[::1]:5000/a"),
        ("ghcr.io/a/b-c_d.e:v1", "ghcr.io/a/b-c_d.e:v1"),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
        (f"ghcr.io/a/b:1@{DIGEST}", f"ghcr.io/a/b:1@{DIGEST}"),
    ],
)
def test_a_short_name_means_docker_hub(text: str, full: str) -> None:
    assert str(references.parse(text)) == full


@pytest.mark.parametrize(
    "text",
    ["", "UPPER", "a//b", "a:", "a:b:c", "a@sha256:1", "ghcr.io/", "a b", "ghcr.io/a:-x", "-a"],
)
def test_what_is_not_a_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not a reference to an image"):
        references.parse(text)


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", "linux/amd64"),
        ("amd64", "linux/amd64"),
        ("x86_64", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
    ],
)
def test_platforms_have_one_name(text: str, platform: str) -> None:
    assert str(platforms.parse(text)) == platform


@pytest.mark.parametrize("text", ["windows/amd64", "linux/vax", "darwin/arm64", "linux/"])
def test_an_unknown_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not a platform of images"):
        platforms.parse(text)


def test_several_platforms_are_each_taken_once() -> None:
    assert list(map(str, platforms.parse_all("amd64, linux/arm64,x86_64"))) == [
        "linux/amd64",
        "linux/arm64",
    ]


@pytest.mark.parametrize(("text", "user"), [("1000", "1000:0"), ("1:2", "1:2"), ("0", "0:0")])
def test_a_user_without_a_group_gets_that_of_openshift(text: str, user: str) -> None:
    assert users.check(text) == user


@pytest.mark.parametrize("text", ["", "root", "-1", "1:", "1:2:3", "99999999999"])
def test_a_user_is_a_number(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not a user"):
        users.check(text)
