from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from envkit.errors import InvalidFile
from envkit.formats import pylock, pylock_toml
from envkit.formats.pylock_toml import LockFile
from tests.builders.files import Write
from tests.builders.locks import packages_of


def wheel(name: str, version: str, tag: str = "py3-none-any") -> dict[str, Any]:
    return {
        "url": f"https://h.example/{name}-{version}-{tag}.whl",
        "size": 7,
        "hashes": {"sha256": "00"},
    }


def package(name: str, version: str = "1.0") -> dict[str, Any]:
    wheels = [wheel(name, version, "py3-none-any"), wheel(name, version, "cp311-abi3-any")]
    return {"wheels": wheels, "version": version, "name": name}


def test_equal_packages_give_equal_bytes_in_the_order_of_the_specification() -> None:
    first, second = packages_of(package("a"), package("b"))

    there = pylock_toml.dumps(packages=[second, first], requires_python="==3.11.*")
    back = pylock_toml.dumps(packages=[first, second], requires_python="==3.11.*")

    assert there == back
    assert list(tomllib.loads(there)) == [
        "lock-version",
        "requires-python",
        "created-by",
        "packages",
    ]
    assert [table["name"] for table in tomllib.loads(there)["packages"]] == ["a", "b"]


def test_the_order_of_wheels_does_not_change_the_bytes() -> None:
    (given,) = packages_of(package("a"))
    turned = replace(given, wheels=[*reversed(given.wheels or ())])

    assert pylock_toml.dumps(packages=[turned]) == pylock_toml.dumps(packages=[given])


def test_what_is_written_is_read_and_written_again_unchanged(write: Write) -> None:
    vcs = {"type": "git", "url": "https://h.example/r.git", "commit-id": "0" * 40}
    stated = packages_of(package("a"), {"name": "v", "version": "1", "vcs": vcs})
    linux = ["sys_platform == 'linux'"]
    text = pylock_toml.dumps(packages=stated, environments=linux)

    lock = LockFile(path=write({"pylock.toml": text})).lock

    assert [package.name for package in lock.packages] == ["a", "v"]
    assert [str(marker) for marker in lock.environments or ()] == ['sys_platform == "linux"']
    assert pylock_toml.dumps(packages=lock.packages, environments=linux) == text


def test_a_lock_is_read_once(write: Write) -> None:
    path = write({"pylock.toml": pylock_toml.dumps(packages=packages_of(package("a")))})
    file = LockFile(path=path)
    first = file.lock
    path.unlink()

    assert file.lock is first
    assert b'name = "a"' in file.raw


def test_a_commit_that_a_wheel_was_built_from_is_written_and_read(write: Write) -> None:
    commit = "git+https://h.example/r.git@" + "0" * 40
    (given,) = packages_of(package("a"))
    text = pylock_toml.dumps(packages=[replace(given, tool=pylock.with_built_from(commit))])

    (found,) = LockFile(path=write({"pylock.toml": text})).lock.packages

    assert pylock.built_from(found) == commit
    assert pylock.built_from(given) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lock-version = ", "is not valid TOML"),
        ("", "lock-version: breaks PEP 751"),
        ('lock-version = "9.0"\ncreated-by = "x"\npackages = []', "breaks PEP 751"),
        ('lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = 5', r"packages\[0\].name"),
        (
            'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "Not Normal"',
            r"packages\[0\].name",
        ),
    ],
)
def test_a_fault_is_named_with_its_key(write: Write, text: str, problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        LockFile(path=write({"pylock.toml": text})).lock  # noqa: B018 - reads it


def test_a_wrong_package_is_not_written() -> None:
    with pytest.raises(InvalidFile, match=r"packages\[0\]"):
        pylock_toml.dumps(packages=[pylock.Package(name=canonicalize_name("a"))])
