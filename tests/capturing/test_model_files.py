"""A capture leaves nothing in the model directory but its own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envkit.capturing import model_files
from envkit.capturing.model_files import kept
from envkit.errors import CaptureFailed
from tests.builders.files import write_files
from tests.builders.model_case import ModelCase

LOADER = """
import os, pathlib
here = pathlib.Path(__file__).parent
class Model:
    def predict(self, data):
        {}
        return 1
def _load_pyfunc(path):
    return Model()
"""


def content(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.is_dir()
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    "change",
    [
        "(here / 'cache').write_text('x')",
        "os.makedirs(here / 'a/b'); (here / 'a/b/c').write_text('x')",
        "(here / 'data.txt').write_text('changed')",
        "open(here / 'data.txt', 'r+').write('DATA')",
        "os.remove(here / 'data.txt')",
        "os.rename(here / 'data.txt', here / 'moved.txt')",
        "__import__('shutil').rmtree(here / 'folder')",
        "os.symlink('/', here / 'link')",
        "os.chmod(here / 'data.txt', 0)",
        "(here / 'cache').write_text('x'); raise ValueError('after it')",
        "(here / 'cache').write_text('x'); os._exit(3)",
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_a_capture_leaves_the_model_as_it_was(case: ModelCase, change: str, write: bool) -> None:
    case.code("loader.py", LOADER.format(change))
    case.code("data.txt", "data")
    case.code("folder/inner.txt", "inner")
    case.example()
    before = content(case.path)

    try:
        captured = case.capture(write=write)
    except CaptureFailed:
        written: tuple[str, ...] = ()
    else:
        written = captured.written

    after = content(case.path)
    for name in written:
        before.pop(name, None)
        after.pop(name)
    assert after == before


def test_times_and_links_are_put_back(tmp_path: Path) -> None:
    write_files(tmp_path, {"m/a": "a"})
    file = tmp_path / "m" / "a"
    os.utime(file, (5, 5))
    (tmp_path / "m" / "link").symlink_to("a")

    with kept([tmp_path / "m"]):
        file.write_text("b")
        (tmp_path / "m" / "link").unlink()

    assert file.read_text() == "a"
    assert file.stat().st_mtime == 5
    assert (tmp_path / "m" / "link").readlink() == Path("a")


def test_a_folder_replaced_by_a_link_is_put_back_and_not_followed(tmp_path: Path) -> None:
    write_files(tmp_path, {"model/data/a.txt": "a", "outside/a.txt": "outside"})
    data = tmp_path / "model" / "data"

    with kept([tmp_path / "model"]):
        (data / "a.txt").unlink()
        data.rmdir()
        data.symlink_to(tmp_path / "outside")

    assert not data.is_symlink()
    assert (data / "a.txt").read_text() == "a"
    assert (tmp_path / "outside" / "a.txt").read_text() == "outside"


def test_a_place_that_did_not_exist_does_not_exist_afterwards(tmp_path: Path) -> None:
    with kept([tmp_path / "code"]):
        write_files(tmp_path, {"code/new.py": ""})

    assert not (tmp_path / "code").exists()


def test_a_change_of_a_file_that_is_too_large_for_a_copy_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"weights.bin": "12345678", "small.txt": "1"})
    monkeypatch.setattr(model_files, "LARGEST_COPY", 4)
    monkeypatch.setattr(model_files, "_clone", lambda path, copy: False)

    def change() -> None:
        with kept([tmp_path]):
            (tmp_path / "weights.bin").write_text("changed")
            (tmp_path / "small.txt").write_text("2")

    with pytest.raises(CaptureFailed, match=r"changed .*weights\.bin"):
        change()

    assert (tmp_path / "small.txt").read_text() == "1"
    with kept([tmp_path]):
        assert (tmp_path / "weights.bin").read_text() == "changed"
