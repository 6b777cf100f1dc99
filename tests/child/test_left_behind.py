"""What a hostile model leaves in its scratch folder is refused at once, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit.child import journal as journals
from envkit.child import left_behind
from envkit.child.process import Ended

ENDED = Ended(status=0, timed_out=False)


def _link(path: Path) -> None:
    target = path.with_name("target")
    target.write_text('{"event": "done"}\n')
    path.symlink_to(target)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 * 2**30)


HOSTILE = {
    "fifo": os.mkfifo,
    "link": _link,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "sparse": _sparse,
    "folder": os.mkdir,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_replaced_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "answer.json"
    make(path)

    with pytest.raises(left_behind.NotReadable):
        left_behind.read(path, left_behind.ANSWER_BYTES)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_replaced_journal_has_no_events(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "journal.jsonl"
    make(path)

    journal = journals.read(path, ENDED)
    assert journal.events == ()
    assert journal.damage.startswith("journal.jsonl ")
    assert not journal.done


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_bytes(b"1234")

    assert left_behind.read(path, 4) == b"1234"
    with pytest.raises(left_behind.NotReadable):
        left_behind.read(path, 3)
