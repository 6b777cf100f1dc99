from __future__ import annotations

import tomllib
from typing import Any

import pytest

from envkit.errors import InvalidFile
from envkit.formats import pylock_toml
from tests.formats.conftest import Write


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
    there = pylock_toml.dumps(packages=[package("b"), package("a")], requires_python="==3.11.*")
    back = pylock_toml.dumps(packages=[package("a"), package("b")], requires_python="==3.11.*")

    assert there == back
    assert list(tomllib.loads(there)) == [
        "lock-version",
        "requires-python",
        "created-by",
        "packages",
    ]
    assert [each["name"] for each in tomllib.loads(there)["packages"]] == ["a", "b"]


def test_what_is_written_is_read_and_written_again_unchanged(write: Write) -> None:
    vcs = {"type": "git", "url": "https://h.example/r.git", "commit-id": "0" * 40}
    packages = [package("a"), {"name": "v", "version": "1", "vcs": vcs}]
    text = pylock_toml.dumps(packages=packages, environments=["sys_platform == 'linux'"])

    lock = pylock_toml.read(write({"pylock.toml": text}))

    assert pylock_toml.dump(lock) == text
    assert [each["name"] for each in lock.packages] == ["a", "v"]


def test_what_is_unknown_is_kept(write: Write) -> None:
    text = pylock_toml.dumps(packages=[package("a")]) + "\n[tool.other]\nx = 1\n"

    lock = pylock_toml.read(write({"pylock.toml": text}))

    assert lock.content["tool"] == {"other": {"x": 1}}
    assert tomllib.loads(pylock_toml.dump(lock)) == tomllib.loads(text)


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
        pylock_toml.read(write({"pylock.toml": text}))


def test_a_wrong_package_is_not_written() -> None:
    with pytest.raises(InvalidFile, match=r"packages\[0\]"):
        pylock_toml.dumps(packages=[{"name": "a", "wheels": "x"}])
