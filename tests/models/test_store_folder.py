"""Whose the folder of the store must be, and how it is made."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from envkit.errors import UnsafeStore
from envkit.models import store_folder

STRANGER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def restored_umask() -> Iterator[None]:
    umask = os.umask(0o022)
    yield
    os.umask(umask)


def checked(path: Path) -> Path:
    return Path(store_folder.real_path(path, {}))


@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o027, 0o077, 0o277, 0o777])
def test_it_is_made_for_this_user_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    os.umask(umask)
    store_folder.create(tmp_path / "a" / "store")

    for folder in (tmp_path / "a", tmp_path / "a" / "store"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_making_it_leaves_what_exists_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    (tmp_path / "store").chmod(0o755)
    store_folder.create(tmp_path / "store")

    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o555, 0o500])
def test_one_that_others_can_only_read_is_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(mode)

    assert checked(tmp_path / "store") == tmp_path / "store"


@pytest.mark.parametrize("mode", [0o770, 0o775, 0o777, 0o1777, 0o702, 0o720, 0o2775])
def test_one_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(mode)

    with pytest.raises(UnsafeStore, match="can be written to by other users") as raised:
        checked(tmp_path / "store")
    assert "chmod" in str(raised.value)
    assert raised.value.exit_code == 7


@pytest.mark.parametrize("name", ["environments", "cache", "models", "interpreters.json"])
def test_a_part_that_others_can_write_to_is_refused_where_they_can_reach_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "store" / name).mkdir(parents=True)
    (tmp_path / "store" / name).chmod(0o777)
    with pytest.raises(UnsafeStore, match=name):
        checked(tmp_path / "store")
    (tmp_path / "store").chmod(0o700)

    assert checked(tmp_path / "store") == tmp_path / "store"


@needs_root
@pytest.mark.parametrize("part", ["", "environments", "interpreters.json"])
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_one_of_another_user_is_refused(tmp_path: Path, part: str, mode: int) -> None:
    if part and mode == 0o700:
        pytest.skip("nobody else could have made a part of a private folder")
    (tmp_path / "store" / part).mkdir(parents=True)
    (tmp_path / "store").chmod(mode)
    os.chown(tmp_path / "store" / part, STRANGER, STRANGER)

    with pytest.raises(UnsafeStore, match=f"belongs to another user \\(id {STRANGER}\\)"):
        checked(tmp_path / "store")


@needs_root
def test_one_of_root_is_used_by_everybody_and_that_of_another_user_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert checked(tmp_path / "store") == tmp_path / "store"
    os.chown(tmp_path / "store", STRANGER + 1, -1)

    with pytest.raises(UnsafeStore):
        checked(tmp_path / "store")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_link_where_others_can_write_is_refused(tmp_path: Path, mode: int, below: str) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "real" / below).mkdir(parents=True)
    (shared / "link").symlink_to(tmp_path / "real")
    shared.chmod(mode)

    with pytest.raises(UnsafeStore, match="is a symbolic link in"):
        checked(shared / "link" / below)


def test_a_link_that_leads_on_to_another_is_refused_when_others_can_replace_that(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "real").mkdir()
    (shared / "second").symlink_to(tmp_path / "real")
    (tmp_path / "first").symlink_to(shared / "second")
    shared.chmod(0o777)

    with pytest.raises(UnsafeStore, match="is a symbolic link in"):
        checked(tmp_path / "first")


def test_a_link_in_a_folder_of_the_user_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert checked(tmp_path / "link" / "store") == tmp_path / "real" / "store"


def test_a_dangling_link_where_others_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "link").symlink_to("nowhere")

    with pytest.raises(UnsafeStore):
        checked(tmp_path / "link")


def test_a_read_only_mount_is_used_whatever_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o777)
    status = os.statvfs(tmp_path)
    read_only = os.statvfs_result([*status[:8], status.f_flag | os.ST_RDONLY, status.f_namemax])
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)

    assert checked(tmp_path / "store") == tmp_path / "store"
