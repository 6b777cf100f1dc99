"""A wrong model or input is reported with its exit code, and no file is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.files import read_files, write_files
from tests.builders.fixture_models import FixtureModel
from tests.builders.programs import Envkit

pytestmark = pytest.mark.e2e

WORDS = "code/sizes/words.py"


@pytest.mark.parametrize(
    ("file", "content", "exit_code", "problem"),
    [
        ("MLmodel", None, 3, "MLmodel"),
        ("MLmodel", "flavors: [", 3, "MLmodel"),
        ("MLmodel", "flavors: {}\n", 3, "python_function"),
        ("data/settings.json", None, 4, "settings.json"),
        (WORDS, "1 / 0\n", 4, "ZeroDivisionError"),
        (WORDS, "import os; os._exit(0)\n", 4, "process"),
        (WORDS, "raise SystemExit(3)\n", 4, "SystemExit"),
        (WORDS, "while True: pass\n", 4, "5 s"),
        ("input_example.json", "{", 3, "input_example.json"),
    ],
)
def test_a_failed_capture_says_why_and_changes_nothing(
    fixture_model: Callable[[str], FixtureModel],
    envkit: Envkit,
    file: str,
    content: str | None,
    exit_code: int,
    problem: str,
) -> None:
    model = fixture_model("custom_loader")
    write_files(model.path, {file: content})
    before = read_files(model.path)

    done = envkit("capture", model.path, "--timeout", "5", succeeds=False)

    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert problem in done.stderr
    assert "envkit/" not in done.stderr  # no traceback of envkit's own
    assert read_files(model.path) == before


@pytest.mark.network
@pytest.mark.parametrize(
    ("text", "exit_code", "problem"),
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
    problem: str,
) -> None:
    model = fixture_model("custom_loader")
    envkit("capture", "--python", model_python, model.path)
    request, answer = tmp_path / "input.json", tmp_path / "answer.json"
    request.write_text(text, encoding="utf-8")

    done = envkit("predict", model.path, "-i", request, "-o", answer, succeeds=False)

    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert problem in done.stderr
    assert not answer.exists()
