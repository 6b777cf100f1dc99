"""Starting the program inside an interpreter and reading its journal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from envkit.child import journal as journals
from envkit.child import runner
from envkit.child.journal import Journal
from envkit.child.process import Ended

PYTHON = Path(sys.executable)
ENDED = Ended(status=0, timed_out=False)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the program folder, to be filled by the test."""
    path = tmp_path / "program" / "__main__.py"
    path.parent.mkdir()
    monkeypatch.setattr(runner, "PROGRAM", path)
    return path


START = (
    "import json, os, sys\nrequest = json.load(open(sys.argv[1]))\n"
    "journal = open(request['journal'], 'x')\n"
)


def run(*, isolated: bool = True, timeout: float = 10.0, **variables: str) -> Journal:
    return runner.run_inside(
        PYTHON,
        {"job": "trace", "model": "/m"},
        environment={**os.environ, **variables},
        timeout=timeout,
        isolated=isolated,
    )


def test_the_request_goes_in_and_the_events_come_out(program: Path) -> None:
    program.write_text(
        START + "print(json.dumps({'event': 'saw', **request}), file=journal)\n"
        "print(json.dumps({'event': 'phase', 'name': 'load'}), file=journal)\n"
        "print(json.dumps({'event': 'done'}), file=journal)\n"
    )
    journal = run()

    assert (journal.events[0]["job"], journal.events[0]["model"]) == ("trace", "/m")
    assert (journal.phase, journal.done, journal.error) == ("load", True, None)
    assert journal.ended.succeeded


def test_nothing_remains_on_the_disk(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    program.write_text(START)
    run()

    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_crash_leaves_what_was_seen_before(program: Path) -> None:
    program.write_text(
        START + 'journal.write(\'{"event": "phase", "name": "predict"}\\n'
        '{"event": "mod\'); journal.flush()\n'
        "os.kill(os.getpid(), 11)\n"
    )
    journal = run()

    assert [event["event"] for event in journal.events] == ["phase"]
    assert (journal.phase, journal.done, journal.ended.how) == (
        "predict",
        False,
        "was killed by SIGSEGV",
    )


def test_what_a_fork_tells_is_not_the_programs_own_end(program: Path) -> None:
    program.write_text(
        START + "error = dict.fromkeys(['kind', 'type', 'message', 'traceback'], 'x')\n"
        "for name in ('phase', 'error', 'done'):\n"
        "    event = {'event': name, 'name': 'load', 'phase': 'load', **error, 'pid': 7}\n"
        "    print(json.dumps(event), file=journal)\n"
    )
    journal = run()

    assert (journal.done, journal.error, journal.phase) == (False, None, "start")
    assert len(journal.events) == 3


def test_no_journal_at_all_is_no_events(program: Path) -> None:
    program.write_text("import os; os._exit(0)")
    journal = run()

    assert (journal.events, journal.done, journal.phase) == ((), False, "start")


def test_a_hang_is_told_as_such(program: Path) -> None:
    program.write_text(START + "import time; time.sleep(60)")

    assert run(timeout=0.5).ended.timed_out


def test_isolation_decides_whether_the_callers_paths_are_seen(
    program: Path, tmp_path: Path
) -> None:
    program.write_text(
        START + "print(json.dumps({'event': 'path', 'path': sys.path}), file=journal)"
    )
    (tmp_path / "mine").mkdir()

    seen = {
        isolated: run(isolated=isolated, PYTHONPATH=str(tmp_path / "mine")).events[0]["path"]
        for isolated in (True, False)
    }
    assert str(tmp_path / "mine") not in seen[True]
    assert str(program.parent) not in seen[True]
    assert str(tmp_path / "mine") in seen[False]


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"event": 1}', "[" * 5000, "\0"])
def test_reading_ends_at_what_is_no_event(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal").write_text(f'{{"event": "a"}}\n{text}\n{{"event": "done"}}\n')

    journal = journals.read(tmp_path / "journal", ENDED)
    assert [event["event"] for event in journal.events] == ["a"]
    assert journal.damage == "line 2 is not an event"
    assert not journal.done


@pytest.mark.parametrize("keep", range(0, 40, 3))
def test_a_journal_cut_off_anywhere_is_read_up_to_there(tmp_path: Path, keep: int) -> None:
    whole = "".join(
        json.dumps({"event": "é", "n": number}, ensure_ascii=False) + "\n" for number in range(3)
    )
    (tmp_path / "journal").write_bytes(whole.encode()[:keep])
    journal = journals.read(tmp_path / "journal", ENDED)

    assert not journal.damage
    assert [event["n"] for event in journal.events] == list(
        range(whole.encode()[:keep].count(b"\n"))
    )
