"""What a lock says, and whether it can be installed as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.environments import locked_packages
from envkit.errors import InvalidFile
from envkit.formats.pylock_toml import LockFile
from tests.builders.requirements import requirements, texts

HASH = "a" * 64

HEAD = 'lock-version = "1.0"\ncreated-by = "test"'

INDEX = f"""
[[packages]]
name = "numpy"
version = "2.3.4"
marker = "sys_platform == 'linux'"
index = "https://example.invalid/simple"
[packages.sdist]
url = "https://example.invalid/numpy-2.3.4.tar.gz"
hashes = {{ sha256 = "{"b" * 64}" }}
[[packages.wheels]]
url = "https://example.invalid/numpy-2.3.4-py3-none-any.whl"
hashes = {{ sha256 = "{HASH}" }}
"""


def read(tmp_path: Path, packages: str, head: str = HEAD) -> LockFile:
    path = tmp_path / "pylock.toml"
    path.write_text(f"{head}\n{packages}")
    return LockFile(path=path)


def test_a_package_of_an_index_becomes_a_requirement_with_all_hashes(tmp_path: Path) -> None:
    lock = read(tmp_path, INDEX)

    assert locked_packages.obstacle(lock) == ""
    assert str(locked_packages.requirements(lock)[0]) == (
        f'numpy==2.3.4 ; sys_platform == "linux" --hash=sha256:{HASH} --hash=sha256:{"b" * 64}'
    )
    assert texts(locked_packages.pins(lock)) == ('numpy==2.3.4 ; sys_platform == "linux"',)
    assert locked_packages.indexes(lock) == ("https://example.invalid/simple",)


@pytest.mark.parametrize(
    ("entry", "location"),
    [
        (
            f'wheels = [{{ path = "a b/a-1-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }} }}]',
            "{here}/a%20b/a-1-py3-none-any.whl",
        ),
        (
            f'archive = {{ path = "a-1.tar.gz", hashes = {{ sha256 = "{HASH}" }} }}',
            "{here}/a-1.tar.gz",
        ),
        (
            f'archive = {{ url = "https://h/a.whl", hashes = {{ sha256 = "{HASH}" }} }}',
            "https://h/a.whl",
        ),
    ],
)
def test_a_single_file_becomes_a_direct_reference(
    tmp_path: Path, entry: str, location: str
) -> None:
    lock = read(tmp_path, f'[[packages]]\nname = "a"\nversion = "1"\n{entry}\n')

    assert locked_packages.obstacle(lock) == ""
    assert str(locked_packages.requirements(lock)[0]) == (
        f"a @ {location.format(here=tmp_path.resolve().as_uri())} --hash=sha256:{HASH}"
    )


@pytest.mark.parametrize(
    ("entry", "obstacle"),
    [
        (
            'vcs = { type = "git", url = "https://h/a", commit-id = "c" }',
            "a comes from version control",
        ),
        ('directory = { path = "code" }', "a comes from a source folder"),
        (
            'wheels = [{ url = "https://h/a-1-py3-none-any.whl", hashes = { md5 = "c" } }]',
            "a has no hash",
        ),
        ('archive = { path = "a.whl", hashes = { md5 = "c" } }', "a has no hash"),
    ],
)
def test_what_no_digest_holds_is_an_obstacle(tmp_path: Path, entry: str, obstacle: str) -> None:
    lock = read(tmp_path, f'[[packages]]\nname = "a"\nversion = "1"\n{entry}\n')

    assert locked_packages.obstacle(lock) == obstacle


@pytest.mark.parametrize(
    ("head", "packages"),
    [
        ("", ""),
        ('lock-version = "2.0"\ncreated-by = "t"', ""),
        ("lock-version = ", ""),
        (HEAD, '[[packages]]\nname = "a"\nwheels = 1'),
        (HEAD, '[[packages]]\nname = "a"\nwheels = [{ url = "https://h/a.whl" }]'),
    ],
)
def test_a_malformed_lock_is_refused(tmp_path: Path, head: str, packages: str) -> None:
    with pytest.raises(InvalidFile, match=r"pylock\.toml"):
        locked_packages.obstacle(read(tmp_path, packages, head))


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("numpy==2.3.4", True),
        ("NumPy", True),
        ("numpy>=2,<3", True),
        ("numpy==1.26.4", False),
        ("numpy==2.3.4 --hash=sha256:00", True),
        ("pandas", False),
        ("pandas ; python_version < '3'", True),
        ("numpy<2 ; python_version < '3'", True),
        ("numpy<2 ; python_version >= '3.9'", False),
        ("numpy<2 ; python_full_version == '3.11.7'", False),
        ("numpy<2 ; sys_platform == 'unknown'", True),
        ("pandas ; python_version >= '3'", False),
        ("./wheels/a.whl", True),
        ("wheels/a.whl", True),
        ("https://h/a.whl", True),
        ("numpy==", False),
        ("numpy[all]==", False),
        ("numpy @ https://h/numpy.whl", True),
    ],
)
def test_a_lock_fits_its_requirements_or_says_why_not(
    tmp_path: Path, requirement: str, fits: bool
) -> None:
    lock = read(tmp_path, INDEX)
    found = list(locked_packages.disagreements(lock, requirements(requirement), "3.11.7"))

    assert (found == []) is fits


MARKED = """
[[packages]]
name = "numpy"
version = "1.24.4"
marker = "python_version < '3.9'"
wheels = [{ url = "https://h/numpy-1.24.4-py3-none-any.whl", hashes = { sha256 = "00" } }]

[[packages]]
name = "numpy"
version = "2.2.6"
marker = "python_version >= '3.9'"
wheels = [{ url = "https://h/numpy-2.2.6-py3-none-any.whl", hashes = { sha256 = "00" } }]
"""


@pytest.mark.parametrize(
    ("python", "requirement", "fits"),
    [
        ("3.11.7", "numpy==2.2.6", True),
        ("3.8.20", "numpy==1.24.4", True),
        ("3.11.7", "numpy==1.24.4", False),
        ("3.8.20", "numpy==2.2.6", False),
        ("3.11.7", "numpy==1.24.4; python_version < '3.9'", True),
        ("3.11", "numpy==2.2.6", True),
    ],
)
def test_a_lock_for_several_pythons_is_compared_for_the_one_in_use(
    tmp_path: Path, python: str, requirement: str, fits: bool
) -> None:
    lock = read(tmp_path, MARKED)

    found = list(locked_packages.disagreements(lock, requirements(requirement), python))

    assert (found == []) is fits


COMMIT = "0123456789" * 4
VCS = (
    f'vcs = {{ type = "git", url = "https://h/a.git", commit-id = "{COMMIT}", subdirectory = "s" }}'
)
WHEEL = f"""archive = {{ path = "a-1-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }} }}
[packages.tool.envkit]
built-from = "git+https://h/a.git@{COMMIT}" """


def test_a_commit_is_no_obstacle_where_building_is_allowed(tmp_path: Path) -> None:
    lock = read(tmp_path, f'[[packages]]\nname = "a"\nversion = "1"\n{VCS}\n')

    assert locked_packages.obstacle(lock) == "a comes from version control"
    assert locked_packages.obstacle(lock, allow_source=True) == ""
    assert (
        str(locked_packages.requirements(lock)[0])
        == f"a @ git+https://h/a.git@{COMMIT}#subdirectory=s"
    )


@pytest.mark.parametrize("entry", [VCS, WHEEL])
def test_a_lock_of_another_commit_does_not_fit(tmp_path: Path, entry: str) -> None:
    lock = read(tmp_path, f'[[packages]]\nname = "a"\nversion = "1"\n{entry}\n')

    assert not list(
        locked_packages.disagreements(
            lock, requirements(f"a @ git+ssh://git@h/a.git@{COMMIT}#subdirectory=s"), "3.11.7"
        )
    )
    other = requirements("a @ git+https://me:secret@h/a.git@" + "f" * 40)
    assert list(locked_packages.disagreements(lock, other, "3.11.7")) == [
        "it has a at another commit than git+https://h/a.git@" + "f" * 40
    ]
