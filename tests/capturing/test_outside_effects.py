"""What a model writes outside of it, and to what it connects, is reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envkit import Capture, capture
from envkit.child.sandbox import Sandbox, confinement
from envkit.errors import IncompleteCapture, InvalidArgument, ModelRaised
from envkit.models.capture_warnings import WarningKind
from tests.builders.models import loader_code, write_model

TOP = """
import os, pathlib, shutil, socket, sqlite3, subprocess, sys, tempfile

home = pathlib.Path.home()
"""

Make = Callable[[str], Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def make(home: Path) -> Make:
    """Make a model in the home, of its predict function's body."""

    def make(body: str) -> Path:
        code = loader_code(f"{body}\nreturn [1]", top=TOP)
        return write_model(home / "model", code, example=[1])

    return make


def warnings_of(captured: Capture, kind: WarningKind) -> list[str]:
    return [str(each) for each in captured.warnings if each.kind is kind]


WRITES = """
(home / "notes.txt").write_text("x")
os.makedirs(home / ".cache" / "mine", exist_ok=True)
(home / "new.tmp").write_text("x")
os.rename(home / "new.tmp", home / "new")
shutil.rmtree(tempfile.mkdtemp(dir=home))
tempfile.NamedTemporaryFile().close()
subprocess.run([sys.executable, "-c", "open('%s', 'w')" % (home / "by-child")], check=True)
"""


def test_writing_into_the_home_is_a_warning_unless_the_file_is_removed_again(make: Make) -> None:
    captured = capture(make(WRITES), write=False)

    expected = ["~/.cache", "~/.cache/mine", "~/by-child", "~/new", "~/notes.txt"]
    assert captured.evidence["writes"] == expected
    (line,) = warnings_of(captured, WarningKind.WRITES)
    assert line.startswith(
        "the model writes into the home folder: ~/.cache, ~/.cache/mine, ~/by-child and 2 more"
    )
    with pytest.raises(IncompleteCapture, match="home folder"):
        capture(captured.model, strict=True)


def test_removing_an_existing_file_is_a_warning(make: Make, home: Path) -> None:
    (home / "old").touch()

    assert capture(make('os.remove(home / "old")'), write=False).evidence["writes"] == ["~/old"]


def test_a_model_that_writes_into_its_own_folder_has_no_warning(make: Make) -> None:
    captured = capture(make("tempfile.mkdtemp()\nsqlite3.connect(':memory:')"), write=False)

    assert (captured.evidence["writes"], captured.evidence["connections"]) == ([], [])
    assert not warnings_of(captured, WarningKind.WRITES)
    assert captured.evidence["sandbox"] is None


def test_connections_are_recorded_with_the_requested_host(make: Make) -> None:
    body = """
for address in (("localhost", 9), ("127.0.0.1", 7)):
    try:
        socket.create_connection(address, 1)
    except OSError:
        pass
"""
    captured = capture(make(body), write=False)

    assert captured.evidence["connections"] == ["127.0.0.1:7", "localhost:9"]
    assert warnings_of(captured, WarningKind.CONNECTS)[1].startswith(
        "the model connects to localhost:9:"
    )


@pytest.fixture
def bubblewrap() -> Sandbox:
    found = confinement(True)
    if found is None or found.program is None:
        pytest.skip(f"bubblewrap cannot be had: {found and found.why_not}")
    return Sandbox.BUBBLEWRAP


def test_a_capture_in_the_sandbox_records_the_same_and_leaves_nothing(
    make: Make, home: Path, bubblewrap: Sandbox
) -> None:
    model = make(WRITES)
    inside = capture(model, write=False, sandbox=bubblewrap)
    left = sorted(each.name for each in home.iterdir())
    outside = capture(model, write=False)

    assert left == ["model"]
    assert {**inside.evidence, "sandbox": None} == outside.evidence
    assert inside.evidence["sandbox"] == "bubblewrap"
    assert inside.prediction == outside.prediction == [1]


def test_the_error_of_a_model_without_network_names_the_sandbox(
    make: Make, bubblewrap: Sandbox
) -> None:
    with pytest.raises(ModelRaised, match="The sandbox has no network"):
        capture(
            make("socket.create_connection(('127.0.0.1', 9), 1)"), write=False, sandbox=bubblewrap
        )


def test_variables_reach_the_model_and_no_file(make: Make) -> None:
    body = "assert os.environ['OWN_TOKEN'] == 'canary'"
    model = make(body)
    captured = capture(model, extra_envs={"OWN_TOKEN": "canary"}, build_local=False)

    assert captured.variables == ("OWN_TOKEN",)
    for file in captured.written:
        assert "canary" not in (model / file).read_text()
    with pytest.raises(InvalidArgument, match="OWN_TOKEN") as raised:
        capture(model, extra_envs={"OWN_TOKEN": "canary\0"})
    assert "canary" not in str(raised.value)
