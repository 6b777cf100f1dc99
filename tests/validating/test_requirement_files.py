"""Validation reads the requirements files that a build reads, and in the same way."""

from __future__ import annotations

from pathlib import Path

from envkit.formats import requirements_txt
from envkit.validating.files import requirement_files
from tests.builders.requirements import texts


def test_validation_follows_as_many_references_as_a_build(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("".join(f"-r {number}.txt\n" for number in range(250)))
    for number in range(250):
        (tmp_path / f"{number}.txt").write_text(f"package-{number}==1.0\n")

    found = requirement_files.read(path, tmp_path)

    assert found.is_whole
    built = requirements_txt.read(path, root=tmp_path).requirements
    assert texts(line.requirement for line in found.lines) == texts(built)
