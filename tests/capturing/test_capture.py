from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner

from envkit import capture
from envkit.cli.main import main
from envkit.errors import CaptureFailed, InvalidArgument
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.model_case import ModelCase


@pytest.mark.parametrize(
    "limit", [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"memory_bytes": 0}]
)
def test_a_limit_that_nothing_can_keep_is_refused(tmp_path: Path, limit: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match="must be above 0"):
        capture(copy_fixture_model("custom_loader", tmp_path).path, **limit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL while predicting"),
        (
            "raise ValueError(os.environ['MY_SECRET'])",
            "the model raised ValueError while predicting",
        ),
    ],
)
def test_what_a_model_did_before_it_failed_is_known(
    case: ModelCase, end: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "value-that-nobody-may-write")
    case.install("soup", "late", "never")
    case.code(
        "loader.py",
        "import os, soup\n"
        "class Model:\n"
        f"    def predict(self, data):\n        import late\n        {end}\n        import never\n"
        "def _load_pyfunc(path):\n    return Model()\n",
    )
    case.example()

    with pytest.raises(CaptureFailed) as caught:
        case.capture(write=True)

    seen = pickle.loads(pickle.dumps(caught.value)).seen
    assert seen["requirements"] == (
        "late==1.0",
        "never==1.0",
        "soup==1.0",
    )  # what was not reached counts, too
    assert seen["evidence"]["prediction"] is None
    assert why in seen["degradations"][0]["text"]
    assert "value-that-nobody-may-write" not in str(seen)
    assert not (case.path / "requirements.txt").exists()


def test_the_command_prints_as_json_what_was_seen_before_the_failure(case: ModelCase) -> None:
    case.install("soup")
    case.code("loader.py", "import soup, os\ndef _load_pyfunc(path):\n    os._exit(3)\n")

    plain = CliRunner().invoke(main, ["capture", str(case.path)])
    told = CliRunner().invoke(main, ["capture", str(case.path), "--json"])

    assert (plain.exit_code, told.exit_code) == (4, 4)
    assert plain.stdout == ""
    assert "it had asked for soup==1.0" in plain.stderr
    shown = json.loads(told.stdout)
    assert shown["requirements"] == ["soup==1.0"]
    assert "ended with status 3" in shown["error"]
    assert shown["written"] == []
