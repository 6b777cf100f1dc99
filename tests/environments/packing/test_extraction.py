"""Hostile, damaged and foreign archives: refused, with nothing written outside and nothing left."""

from __future__ import annotations

import gzip
import io
import json
import sysconfig
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.packing import extraction
from envkit.environments.packing.unpack import unpack
from envkit.errors import BuildFailed, InvalidArgument, InvalidFile, InvalidInput

Entry = tarfile.TarInfo


def description(**changes: Any) -> bytes:
    facts = {
        "format": 1,
        "manager": "uv",
        "facts": {"libc": []},
        "indexed": False,
        "members": 1,
        "version": "3.11.7",
        "implementation": "cpython",
        "platform": sysconfig.get_platform(),
        "abi": "x",
        "base": "0",
        **changes,
    }
    return json.dumps(facts).encode()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Entry:
    found = Entry(name)
    found.type, found.linkname = kind, link
    return found


def archive(
    path: Path, entries: Sequence[Entry], first: bytes | None = None, content: bytes = b"x"
) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        told = first if first is not None else description(members=len(entries))
        head = Entry("envkit-pack.json")
        head.size = len(told)
        tar.addfile(head, io.BytesIO(told))
        for each in entries:
            each.size = len(content) if each.isreg() else 0
            tar.addfile(each, io.BytesIO(content))
    return path


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


OUTSIDE = "leads out of the environment"
NOT_A_FILE = "is neither a file nor a symbolic link"


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([entry("/tmp/envkit-escaped")], OUTSIDE),
        ([entry("../escaped")], OUTSIDE),
        ([entry("a/../../escaped")], OUTSIDE),
        ([entry("./a")], OUTSIDE),
        ([entry("a//b")], OUTSIDE),
        ([entry("a"), entry("a")], "occurs twice"),
        ([entry("l", tarfile.SYMTYPE, "/etc")], OUTSIDE),
        ([entry("l", tarfile.SYMTYPE, "../..")], OUTSIDE),
        ([entry("a/l", tarfile.SYMTYPE, "../../x")], OUTSIDE),
        ([entry("l", tarfile.SYMTYPE, "a/../../x")], OUTSIDE),
        ([entry("l", tarfile.SYMTYPE, "a"), entry("l/x")], "lies beyond a link"),
        ([entry("l", tarfile.SYMTYPE, "a"), entry("l")], "occurs twice"),
        (
            [entry("a/b/l", tarfile.SYMTYPE, "../.."), entry("m", tarfile.SYMTYPE, "a/b/l/../..")],
            OUTSIDE,
        ),
        ([entry("h", tarfile.LNKTYPE, "/etc/passwd")], NOT_A_FILE),
        ([entry("x"), entry("h", tarfile.LNKTYPE, "x")], NOT_A_FILE),
        ([entry("d", tarfile.CHRTYPE)], NOT_A_FILE),
        ([entry("d", tarfile.BLKTYPE)], NOT_A_FILE),
        ([entry("p", tarfile.FIFOTYPE)], NOT_A_FILE),
        ([entry("d", tarfile.DIRTYPE)], NOT_A_FILE),
    ],
    ids=lambda value: (
        "+".join(f"{each.name}>{each.linkname}" for each in value)
        if isinstance(value, list)
        else ""
    ),
)
@pytest.mark.parametrize("where", ["folder", "store"])
def test_an_entry_that_leaves_the_folder_or_is_not_a_file_is_rejected_and_nothing_is_left(
    entries: list[Entry], problem: str, where: str, tmp_path: Path, own_store: Path
) -> None:
    path = archive(tmp_path / "env.tar.gz", entries)
    into = tmp_path / "into" if where == "folder" else None
    last = entries[-1].name

    with pytest.raises(InvalidFile) as caught:
        unpack(path, into)

    assert (caught.value.path, caught.value.where) == (str(path), last)
    assert problem in caught.value.problem
    assert not Path("/tmp/envkit-escaped").exists()
    outside_the_store = {
        name for name in everything_below(tmp_path) if not name.startswith(own_store.name)
    }
    assert outside_the_store == {path.name}
    names = {entry.name.rpartition("/")[2] for entry in entries}
    left = {file for file in own_store.rglob("*") if file.name in {*names, "escaped"}}
    assert left == set()
    assert list(own_store.glob("environments/*")) == []


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "_ALWAYS_ALLOWED", 1_000_000)
    path = tmp_path / "env.tar.gz"
    told = description(members=1)
    with gzip.open(path, "wb", compresslevel=9) as stream:
        for name, size in (("envkit-pack.json", len(told)), ("bomb", 2_000_000_000)):
            head = Entry(name)
            head.size = size
            stream.write(head.tobuf())
            if name == "bomb":
                for _ in range(30):
                    stream.write(b"\0" * 1_000_000)
            else:
                stream.write(told + b"\0" * (-len(told) % 512))

    with pytest.raises(InvalidFile, match="far more"):
        unpack(path, tmp_path / "into")
    assert everything_below(tmp_path) == {"env.tar.gz"}


@pytest.mark.parametrize("keep", [0, 10, 300, 600, 1600])
def test_an_archive_that_is_cut_off_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "env.tar"
    archive(tmp_path / "whole.tar.gz", [entry("a"), entry("b")])
    path.write_bytes(gzip.decompress((tmp_path / "whole.tar.gz").read_bytes())[:keep])

    with pytest.raises(InvalidFile):
        unpack(path, tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: data[:60] + b"\xff" + data[61:]]
)
def test_a_damaged_compression_is_refused(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = archive(tmp_path / "env.tar.gz", [entry("a")], content=bytes(range(256)) * 100)
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(InvalidFile):
        unpack(path, tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (description(platform="linux-vax"), "linux-vax"),
        (description(format=99), "does not know"),
        (description(manager="other"), "'other'"),
        (description(facts=[]), "does not describe"),
        (description(facts={"libc": ["glibc 99.1"]}), "glibc 99.1"),
        (b"{}", "does not describe"),
        (b"[" * 100_000, "does not describe"),
        (b"\xff", "does not describe"),
    ],
)
def test_an_archive_for_another_machine_or_of_another_kind_says_so(
    told: bytes, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidFile, match=problem):
        unpack(archive(tmp_path / "env.tar.gz", [entry("a")], told), tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(tmp_path / "text", "text")

    with pytest.raises(InvalidInput, match="No archive"):
        unpack(tmp_path / "none")
    with pytest.raises(InvalidFile, match="not an archive of an environment"):
        unpack(tmp_path / "text", tmp_path / "into")
    with pytest.raises(InvalidFile, match="not made by `envkit pack`"):
        unpack(tmp_path / "other.tar", tmp_path / "into")
    with pytest.raises(InvalidInput):
        unpack(tmp_path)


def test_files_that_do_not_fit_their_records_are_refused(tmp_path: Path) -> None:
    record = entry("lib/python3.11/site-packages/alpha-1.dist-info/RECORD")
    path = archive(tmp_path / "env.tar.gz", [record], content=b"alpha.py,,10\n")

    with pytest.raises((InvalidFile, BuildFailed), match="record"):
        unpack(path, tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    path = archive(tmp_path / "env.tar.gz", [entry("a")])
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine").touch()

    with pytest.raises(InvalidArgument, match="not empty"):
        unpack(path, tmp_path / "into")
    assert everything_below(tmp_path / "into") == {"mine"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "env.tar.gz", [entry("a")])
    (tmp_path / "file").touch()

    with pytest.raises(BuildFailed, match="unpack"):
        unpack(path, tmp_path / "file" / "into")
