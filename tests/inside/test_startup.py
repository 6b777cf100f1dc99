"""Recording of names that `.pth` files put into `builtins` when the interpreter starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.builders.inside_bench import Bench


@pytest.fixture
def place(any_python: str, tmp_path: Path) -> tuple[str, Path]:
    """A fresh environment, with the folder of its packages."""
    subprocess.run([any_python, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (site,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    return str(tmp_path / "env" / "bin" / "python"), site


def test_a_name_that_a_pth_file_put_into_builtins_is_recorded_with_its_code(
    bench: Bench, place: tuple[str, Path]
) -> None:
    python, site = place
    (site / "hook.py").write_text(
        "import builtins\nbuiltins.HOOK = 'here'\nbuiltins.tell = lambda: 1\n"
    )
    (site / "hook.pth").write_text("import hook\n")
    (site / "line.pth").write_text("import builtins; builtins.LINE = 1\n")
    bench.loader(predict="return [HOOK, LINE, tell()]")

    report = bench.run(python)

    assert {event["name"]: event["path"] for event in report.named("builtin")} == {
        "HOOK": str(site / "hook.py"),
        "tell": str(site / "hook.py"),
        "LINE": str(site / "line.pth"),
    }
    assert report.one("prediction")["output"] == ["here", 1, 1]


def test_builtins_of_python_are_not_recorded(bench: Bench, any_python: str) -> None:
    bench.loader()

    assert bench.run(any_python).named("builtin") == []
