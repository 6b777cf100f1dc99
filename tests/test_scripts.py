"""The programs of `scripts/` work."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def run(name: str, *words: str) -> str:
    ended = subprocess.run([SCRIPTS / name, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in SCRIPTS.iterdir() if path.is_file()))
def test_a_program_explains_itself(name: str) -> None:
    assert run(name, "--help").strip()


@pytest.mark.e2e
def test_the_benchmark_prints_a_ratio_for_each_selected_row() -> None:
    rows = json.loads(run("bench", "--rows", "help,import,mapping", "--pairs", "1", "--json"))

    assert [row["note"] for row in rows if row["target"] == "not measured"] == []
    assert len(rows) == 3
    for row in rows:
        (ratio,) = row["ratios"]["wall"]
        assert ratio > 0
