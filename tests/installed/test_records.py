"""Files of an environment against their records."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from envkit.installed import records


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "lib" / "python3.99" / "site-packages"
    (site / "a-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib64").symlink_to("lib")
    (site / "a.py").write_text("12345")
    (site / "with,comma.py").write_text("1")
    (tmp_path / "bin" / "a").write_text("123")
    (site / "a-1.0.dist-info" / "RECORD").write_text(
        'a.py,sha256=x,5\n"with,comma.py",sha256=x,1\n../../../bin/a,sha256=x,3\n__pycache__/a.pyc,,\n'
        "a-1.0.dist-info/RECORD,,\n"
    )
    return site


def test_there_is_no_problem_if_files_are_as_recorded(site: Path, tmp_path: Path) -> None:
    assert list(records.problems(tmp_path)) == []


@pytest.mark.parametrize("name", ["a.py", "with,comma.py", "../../../bin/a"])
def test_a_missing_file_is_named_once(site: Path, tmp_path: Path, name: str) -> None:
    (site / name).unlink()

    assert list(records.problems(tmp_path)) == [f"{name} is missing"]


def test_a_file_of_another_size_is_named(site: Path, tmp_path: Path) -> None:
    (site / "a.py").write_text("")

    assert list(records.problems(tmp_path)) == ["a.py has 0 bytes, its record says 5"]


def test_a_distribution_without_records_is_named(site: Path, tmp_path: Path) -> None:
    (site / "a-1.0.dist-info" / "RECORD").unlink()

    assert list(records.problems(tmp_path)) == ["a-1.0.dist-info has no RECORD"]


@pytest.mark.parametrize("text", ["a.py,sha256=x,many\n", "\udcff,x,1\n"])
def test_damaged_records_are_named(site: Path, tmp_path: Path, text: str) -> None:
    (site / "a-1.0.dist-info" / "RECORD").write_bytes(text.encode("utf-8", "surrogateescape"))

    assert list(records.problems(tmp_path)) == ["a-1.0.dist-info has a damaged RECORD"]


def test_a_record_is_not_checked_against_itself(tmp_path: Path) -> None:
    info = tmp_path / "lib" / "python3.11" / "site-packages" / "a-1.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("a-1.dist-info/RECORD,sha256=AAAA,3\n")

    assert list(records.problems(tmp_path)) == []
    assert list(records.digests(tmp_path)) == []


@pytest.fixture
def both(tmp_path: Path, site: Path) -> Path:
    """Two distributions that bring the same file with other contents."""
    (site / "b-2.dist-info").mkdir()
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"1").digest()).rstrip(b"=").decode()
    (site / "a-1.0.dist-info" / "RECORD").write_text(
        f"a.py,sha256={digest},1\nboth.py,sha256=AAAA,0\n"
    )
    (site / "b-2.dist-info" / "RECORD").write_text("a.py,sha256=AAAA,5\nboth.py,sha256=AAAA,0\n")
    (site / "both.py").touch()
    return site / "a.py"


@pytest.mark.parametrize(("content", "problems"), [("12345", 0), ("1", 0), ("123", 2)])
def test_a_file_of_two_distributions_must_be_as_one_of_them_recorded(
    both: Path, tmp_path: Path, content: str, problems: int
) -> None:
    both.write_text(content)

    assert len([*records.problems(tmp_path)]) == problems


def test_the_digest_of_a_file_of_two_distributions_is_one_of_theirs(
    both: Path, tmp_path: Path
) -> None:
    expected = dict(records.digests(tmp_path))[str(both.relative_to(tmp_path))]
    both.write_text("1")

    assert records.unlike(both, expected) == ""
    both.write_text("2")
    assert records.unlike(both, expected) == "differs from what was installed"


def test_distributions_with_different_contents_of_one_file_are_named(
    both: Path, tmp_path: Path
) -> None:
    (sentence,) = records.shared(tmp_path)

    assert sentence.startswith(
        "a-1.0 and b-2 contain the same files with different contents (1, such as lib/python3.99/"
    )
