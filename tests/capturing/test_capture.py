from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path

import pytest
from click.testing import CliRunner

from envkit import capture, infer_pip_requirements
from envkit.analysis.source_file import SourceFile
from envkit.cli.main import main
from envkit.errors import CaptureFailed, InvalidArgument
from envkit.models import digests
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.model_case import ModelCase


@pytest.mark.parametrize(
    "limit", [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"memory_bytes": 0}]
)
def test_a_limit_that_is_not_above_zero_is_refused(tmp_path: Path, limit: dict[str, float]) -> None:
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
def test_a_failure_has_what_the_model_did_before(
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


def test_the_command_prints_what_was_recorded_before_the_failure_as_json(case: ModelCase) -> None:
    case.install("soup")
    case.code("loader.py", "import soup, os\ndef _load_pyfunc(path):\n    os._exit(3)\n")

    plain = CliRunner().invoke(main, ["capture", str(case.path)])
    as_json = CliRunner().invoke(main, ["capture", str(case.path), "--json"])

    assert (plain.exit_code, as_json.exit_code) == (4, 4)
    assert plain.stdout == ""
    assert "it used soup==1.0" in plain.stderr
    shown = json.loads(as_json.stdout)
    assert shown["requirements"] == ["soup==1.0"]
    assert "ended with status 3" in shown["error"]
    assert shown["written"] == []


def test_a_capture_parses_each_source_file_at_most_once(
    case: ModelCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.install("soup")
    case.loader("soup, os", branch="os.environ['MINE']")
    case.code("other.py", "import soup\n")
    parsed: list[str] = []
    parse = SourceFile._parse

    def recording(source: SourceFile) -> object:
        parsed.append(source.path)
        return parse(source)

    monkeypatch.setattr(SourceFile, "_parse", recording)

    case.capture(include_static=True)

    assert str(case.path / "code" / "loader.py") in parsed
    assert len(parsed) == len(set(parsed))


@pytest.mark.parametrize(
    ("imports", "reads"), [("os", 1), ("not_installed", 0)], ids=["success", "failure"]
)
@pytest.mark.parametrize("write", [True, False])
def test_a_capture_reads_the_model_for_its_digests_once_and_a_failed_one_never(
    case: ModelCase, monkeypatch: pytest.MonkeyPatch, imports: str, reads: int, write: bool
) -> None:
    case.loader(imports)
    (case.path / "weights.bin").write_bytes(b"large")
    hashed: list[str] = []
    of_file = digests.of_file

    def recording(path: Path) -> digests.Digest:
        hashed.append(path.name)
        return of_file(path)

    monkeypatch.setattr(digests, "of_file", recording)

    with contextlib.suppress(CaptureFailed):
        case.capture(write=write)

    assert hashed.count("weights.bin") == reads


def test_inferring_requirements_reads_no_file_for_its_digest(
    case: ModelCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.install("soup")
    case.loader("soup")
    monkeypatch.setattr(digests, "of_model", None)

    assert infer_pip_requirements(case.path) == ["soup==1.0"]


def test_a_limit_with_a_fraction_is_not_cut_off_at_its_point(case: ModelCase) -> None:
    case.code("loader.py", "import time\ndef _load_pyfunc(path):\n    time.sleep(60)\n")

    with pytest.raises(CaptureFailed) as caught:
        case.capture(timeout=0.9)

    assert caught.value.seen is not None
    (warning, *_) = caught.value.seen["degradations"]
    assert "the model was still loading after 0.9 s and was stopped" in warning["text"]
