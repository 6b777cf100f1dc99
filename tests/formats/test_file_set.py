from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidInput
from envkit.formats.file_set import write_files


def content(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_all_files_are_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "kept").write_text("kept")

    write_files(tmp_path, {"a": "é", "b": b"\x01", "old": None, "never": None})

    assert content(tmp_path) == {"a": "é", "b": "\x01", "kept": "kept"}


def test_permissions_stay_and_new_files_follow_the_umask(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "plain").write_text("x")

    write_files(tmp_path, {"a": "y", "new": "y"})

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_is_replaced_and_what_it_points_to_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("shared")
    model = tmp_path / "model"
    model.mkdir()
    (model / "a").symlink_to(tmp_path / "shared")
    (model / "dangling").symlink_to(tmp_path / "gone")

    write_files(model, {"a": "new", "dangling": "new"})

    assert (tmp_path / "shared").read_text() == "shared"
    assert not (model / "a").is_symlink()
    assert content(model) == {"a": "new", "dangling": "new"}


class Failing:
    """Makes the n-th call of a method of `Path` or `os` fail."""

    def __init__(self, function: Any, after: int, code: int) -> None:
        self.function, self.left, self.code = function, after, code

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left == -1:
            raise OSError(self.code, os.strerror(self.code))
        return self.function(*args, **named)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    ("owner", "name"), [(os, "open"), (os, "fsync"), (Path, "replace"), (Path, "hardlink_to")]
)
def test_a_failure_at_any_step_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: int
) -> None:
    before = {"a": "old a", "b": "old b", "c": "old c"}
    for each, text in before.items():
        (tmp_path / each).write_text(text)
    failing = Failing(getattr(owner, name), after, errno.ENOSPC)
    # a function of a module is called without self, one of a class with it
    monkeypatch.setattr(owner, name, failing if owner is os else lambda *args: failing(*args))

    if name == "hardlink_to":
        write_files(
            tmp_path, {"a": "1", "b": "2", "c": None}
        )  # copies where there are no hard links

        assert content(tmp_path) == {"a": "1", "b": "2"}
        return
    if name == "replace" and after == 2:
        pytest.skip("two files are renamed")
    with pytest.raises(InvalidInput, match=r": No space left on device\. None of them was changed"):
        write_files(tmp_path, {"a": "1", "b": "2", "new": "3", "c": None})

    monkeypatch.undo()
    assert content(tmp_path) == before


def test_a_missing_directory_or_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    with pytest.raises(InvalidInput, match="it is not a directory"):
        write_files(tmp_path / "gone", {"a": "x"})
    with pytest.raises(InvalidInput, match="a folder has that name"):
        write_files(tmp_path, {"b": "x", "a": "x"})
    assert not (tmp_path / "b").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_must_not_be_written_to_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(InvalidInput, match="Permission denied"):
            write_files(tmp_path, {"a": "x"})
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a//b", "a/", "./a", "", ".", ".."])
def test_only_names_are_accepted(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not a file name"):
        write_files(tmp_path, {name: "x"})


def test_files_in_folders_are_written_copied_and_removed(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"\x02")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a").write_text("x")

    write_files(
        tmp_path, {"b/c/d": tmp_path / "source", "b/e": "e", "old/a": None, "never/a": None}
    )

    assert (tmp_path / "b" / "c" / "d").read_bytes() == b"\x02"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "source"]
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["c", "e"]


def test_folders_are_not_left_behind_by_a_failure(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        write_files(tmp_path, {"a/b/c": "x", "d": tmp_path / "gone"})

    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_link_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    model = tmp_path / "model"
    model.mkdir()
    (model / "wheels").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidInput, match="not a folder of its own"):
        write_files(model, {"wheels/a.whl": b"x"})

    assert not list((tmp_path / "elsewhere").iterdir())


WRITER = """
import os, signal, sys
from pathlib import Path
from envkit.formats import file_set

calls = 0
real = Path.replace

def dying(self, target):
    global calls
    calls += 1
    if calls == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)

Path.replace = dying
file_set.write_files(Path(sys.argv[1]), {"a": "new", "wheels/b": "new", "c": "new"})
"""


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    for name in ("a", "wheels/b", "c", ".a.mine.tmp", ".c.0123456789ab.txt"):
        (tmp_path / name).write_text("old")
    before = {path.name for path in tmp_path.rglob("*")}
    killed = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=False)
    left = {path.name for path in tmp_path.rglob("*")} - before

    assert killed.returncode == -signal.SIGKILL
    assert {name.rpartition(".")[2] for name in left} == {"tmp", "old"}
    write_files(tmp_path, {"a": "newer", "wheels/b": "newer", "c": "newer"})
    assert {path.name for path in tmp_path.rglob("*")} == before
    assert {(tmp_path / name).read_text() for name in ("a", "wheels/b", "c")} == {"newer"}


def test_writers_of_one_directory_wait_for_each_other(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from envkit.formats import file_set\n"
        "for number in range(40):\n"
    )
    program += "    file_set.write_files(Path(sys.argv[1]), {'a': sys.argv[2], 'b': sys.argv[2]})\n"
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), each]) for each in "xyz"
    ]

    assert [each.wait(60) for each in writers] == [0, 0, 0]
    assert content(tmp_path) in ({"a": each, "b": each} for each in "xyz")
