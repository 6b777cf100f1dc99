"""What is wrong with a model or its input is said, with its own exit code, and no file is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.files import read_files
from tests.builders.fixture_models import FixtureModel
from tests.builders.programs import Envkit

pytestmark = pytest.mark.e2e

Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "exit_code", "said"),
    [
        (lambda model: (model / "MLmodel").unlink(), 3, "MLmodel"),
        (lambda model: (model / "MLmodel").write_text("flavors: [", encoding="utf-8"), 3, "MLmodel"),
        (lambda model: (model / "MLmodel").write_text("flavors: {}\n", encoding="utf-8"), 3, "python_function"),
        (lambda model: (model / "data" / "settings.json").unlink(), 4, "settings.json"),
        (lambda model: (model / "code" / "sizes" / "words.py").write_text("1 / 0\n"), 4, "ZeroDivisionError"),
        (lambda model: (model / "code" / "sizes" / "words.py").write_text("import os; os._exit(0)\n"), 4, "process"),
        (lambda model: (model / "code" / "sizes" / "words.py").write_text("raise SystemExit(3)\n"), 4, "SystemExit"),
        (lambda model: (model / "code" / "sizes" / "words.py").write_text("while True: pass\n"), 4, "5 s"),
        (lambda model: (model / "input_example.json").write_text("{", encoding="utf-8"), 3, "input_example.json"),
    ],
)  # fmt: skip
def test_a_failed_capture_says_why_and_changes_nothing(
    fixture_model: Callable[[str], FixtureModel],
    envkit: Envkit,
    spoil: Spoil,
    exit_code: int,
    said: str,
) -> None:
    model = fixture_model("custom_loader")
    spoil(model.path)
    before = read_files(model.path)

    done = envkit("capture", model.path, "--timeout", "5", succeeds=False)

    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert said in done.stderr
    assert "envkit/" not in done.stderr  # no traceback of envkit's own
    assert read_files(model.path) == before


@pytest.mark.network
@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("{", 3, "JSON"),
        ("[]", 3, "dataframe_split"),
        ('{"dataframe_split": {"columns": ["bytes"], "data": [["many"]]}}', 6, "ValueError"),
        ('{"dataframe_split": {"columns": ["other"], "data": [[1]]}}', 6, "bytes"),
    ],
)
def test_a_failed_prediction_says_why_and_writes_no_answer(
    fixture_model: Callable[[str], FixtureModel],
    model_python: Path,
    envkit: Envkit,
    tmp_path: Path,
    text: str,
    exit_code: int,
    said: str,
) -> None:
    model = fixture_model("custom_loader")
    envkit("capture", "--python", model_python, model.path)
    given, answer = tmp_path / "input.json", tmp_path / "answer.json"
    given.write_text(text, encoding="utf-8")

    done = envkit("predict", model.path, "-i", given, "-o", answer, succeeds=False)

    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert said in done.stderr
    assert not answer.exists()
