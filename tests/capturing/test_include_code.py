"""With `include_code`, a model whose loader is outside of it no longer needs that folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envkit.capturing.capture import capture
from envkit.errors import InvalidArgument, ModelRaised
from envkit.models.capture_warnings import WarningKind
from envkit.models.directory import ModelDirectory
from tests.builders.files import write_files
from tests.builders.models import write_mlmodel

LOADER = """
from .tables import TIMES
class Model:
    def predict(self, data):
        from mine import lazy
        return [lazy.double(each) * TIMES for each in data]
def _load_pyfunc(path):
    return Model()
"""
TABLES = (
    "from pathlib import Path\nTIMES = int((Path(__file__).parent / 'times.txt').read_text())\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "mine/__init__.py": "",
        "mine/loader.py": LOADER,
        "mine/tables.py": TABLES,
        "mine/times.txt": "10",
        "mine/lazy.py": "def double(number):\n    return number * 2\n",
        "mine/unused.py": "",
    }
    return write_files(tmp_path / "project", files)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model = write_mlmodel(tmp_path / "model", "mine.loader", example=True)
    return write_files(model, {"input_example.json": "[1, 2]"})


@pytest.mark.e2e
def test_local_modules_are_copied_and_the_model_works_without_their_folder(
    model: Path, project: Path
) -> None:
    first = capture(model, code_paths=[project], include_code=True)
    shutil.rmtree(project)
    second = capture(model, strict=True)

    assert first.warnings == ()
    assert first.prediction == second.prediction == [20, 40]
    assert ModelDirectory.open(model).python_function.code == "code"
    assert sorted(path.name for path in (model / "code" / "mine").glob("*.*")) == [
        "__init__.py",
        "lazy.py",
        "loader.py",
        "tables.py",
        "times.txt",
    ]


@pytest.mark.e2e
def test_without_include_code_there_is_a_warning_for_each_package_and_file(
    model: Path, project: Path
) -> None:
    found = capture(model, code_paths=[project])

    assert not (model / "code").exists()
    assert {each.kind for each in found.warnings} == {WarningKind.OUTSIDE}
    assert {Path(each.subject).name for each in found.warnings} == {"mine", "times.txt"}
    assert any("and 3 more of its modules" in str(each) for each in found.warnings)
    assert {each["module"] for each in found.evidence["outside"]} >= {
        "mine",
        "mine.loader",
        "mine.tables",
        "mine.lazy",
    }


@pytest.mark.e2e
def test_the_error_for_a_missing_module_names_the_option_that_helps(model: Path) -> None:
    with pytest.raises(ModelRaised, match="--code-path"):
        capture(model)


def test_a_code_path_that_is_not_a_folder_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="cannot import from the code path"):
        capture(model, code_paths=[tmp_path / "nowhere"])
