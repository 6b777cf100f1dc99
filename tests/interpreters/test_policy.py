"""Which minor versions a lock holds for."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from envkit.formats.pylock import Pylock
from envkit.formats.pylock_toml import LockFile
from envkit.interpreters.lock_compatibility import excluded, why_void
from envkit.interpreters.policy import nearest_minors

HASH = "0" * 64


def lock(
    folder: Path,
    *,
    requires: str = "",
    package: str = "",
    wheels: tuple[str, ...] = (),
    more: str = "",
) -> Pylock:
    lines = [
        'lock-version = "1.0"',
        *([f'requires-python = "{requires}"'] if requires else []),
        'created-by = "x"',
    ]
    lines += ["[[packages]]", 'name = "alpha"', 'version = "1.0"', package]
    files = ", ".join(
        f'{{ url = "https://x/{name}", hashes = {{ sha256 = "{HASH}" }} }}' for name in wheels
    )
    path = folder / "pylock.toml"
    path.write_text("\n".join([*lines, *([f"wheels = [{files}]"] if wheels else []), more]))
    return LockFile(path=path).lock


def test_the_nearest_minor_versions_come_first_and_the_newer_before_the_older() -> None:
    assert list(islice(nearest_minors("3.11"), 4)) == ["3.12", "3.10", "3.13", "3.9"]
    assert "3.14" in set(nearest_minors("3.11"))


@pytest.mark.parametrize(
    ("requires", "wheels", "why"),
    [
        ("==3.11.*", ("alpha-1.0-py3-none-any.whl",), "requires Python ==3.11.*"),
        (">=3.9", ("alpha-1.0-py3-none-any.whl",), ""),
        (">=3.12.4", ("alpha-1.0-py3-none-any.whl",), ""),
        (
            "",
            ("alpha-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",),
            "locked only with wheels for another Python",
        ),
        (
            "",
            ("alpha-1.0-cp311-cp311-linux_x86_64.whl", "alpha-1.0-cp312-cp312-linux_x86_64.whl"),
            "",
        ),
        ("", ("alpha-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",), ""),
        ("", ("alpha-1.0-py2.py3-none-any.whl",), ""),
    ],
)
def test_a_lock_says_for_which_minor_versions_it_holds(
    requires: str, wheels: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    found = why_void(lock(tmp_path, requires=requires, wheels=wheels), "3.12")

    assert (why in found) if why else found == ""


@pytest.mark.parametrize(
    ("package", "why"),
    [
        ('requires-python = ">=3.9"', ""),
        ('requires-python = "<3.12"', "alpha requires Python <3.12"),
        ('requires-python = "<3.12"\nmarker = "python_version < \'3.12\'"', ""),
    ],
)
def test_a_locked_package_may_refuse_a_minor_version_where_it_applies(
    package: str, why: str, tmp_path: Path
) -> None:
    holding = lock(tmp_path, package=package, wheels=("alpha-1.0-py3-none-any.whl",))

    assert excluded(holding, "3.12") == why
