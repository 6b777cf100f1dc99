"""`envkit deps` prints results, notes on standard error, and writes only the named file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import Result

from tests.builders.command_line import run_envkit
from tests.builders.files import write_files
from tests.builders.models import write_mlmodel

CONDA = "dependencies:\n- python=3.11.7\n- blas=1.0\n- pip:\n  - six==1.17.0\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model = write_mlmodel(tmp_path / "model", "own", env="conda.yaml")
    return write_files(model, {"conda.yaml": CONDA})


def deps(*words: str | Path) -> Result:
    return run_envkit("deps", *words)


def test_an_extracted_pip_section_is_reported_in_one_line_and_leaves_no_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    shown = deps(model)

    assert (shown.exit_code, shown.stdout) == (0, "six==1.17.0\n")
    assert shown.stderr.count("\n") == 1
    assert "pip section" in shown.stderr
    assert "blas=1.0" in shown.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_quiet_prints_no_notes(model: Path) -> None:
    assert deps(model, "-q").stderr == ""


@pytest.mark.parametrize(("form", "name"), [("pip", "requirements.txt"), ("conda", "conda.yaml")])
def test_a_file_that_is_not_utf8_is_named(model: Path, form: str, name: str) -> None:
    model.joinpath(name).write_bytes(b"# caf\xe9\n")
    shown = deps(model, "--format", form)

    assert shown.exit_code == 3
    assert f"{name}, line 1: byte 0xe9 is not UTF-8" in shown.stderr


def test_a_missing_folder_is_reported(model: Path, tmp_path: Path) -> None:
    shown = deps(model, "-o", tmp_path / "no" / "such" / "file.txt")

    assert shown.exit_code == 2
    assert "No such file or directory" in shown.stderr


def test_a_named_file_gets_what_would_be_printed(model: Path, tmp_path: Path) -> None:
    shown = deps(model, "--format", "conda", "-o", tmp_path / "copy.yaml")

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert (tmp_path / "copy.yaml").read_text(encoding="utf-8") == CONDA


def test_debian_packages_are_listed_one_a_line(model: Path) -> None:
    owned = [
        {"path": "/usr/lib/libgomp.so.1", "debian_package": "libgomp1"},
        {"path": "x", "debian_package": None},
    ]
    started = [
        {"program": "/usr/bin/git", "debian_package": "git"},
        {"program": "y", "debian_package": "git"},
    ]
    evidence = {"schema_version": 1, "libraries": owned, "processes": started}
    (model / "envkit.json").write_text(json.dumps(evidence))

    assert deps(model, "--format", "apt").stdout == "git\nlibgomp1\n"


@pytest.mark.parametrize("evidence", [None, '{"schema_version": 1, "libraries": 3}'])
def test_debian_packages_require_a_capture(model: Path, evidence: str | None) -> None:
    if evidence:
        (model / "envkit.json").write_text(evidence)

    result = deps(model, "--format", "apt")
    assert result.exit_code == 3
    assert "envkit capture" in result.output
