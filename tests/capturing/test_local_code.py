"""Local modules outside the model are copied into it, as their packages have them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from envkit.capturing.local_code import LocalCode, gather
from envkit.capturing.module_to_distribution import UnownedFile
from envkit.models.directory import ModelDirectory
from tests.builders.models import write_mlmodel


class Project:
    """A folder on the search path, next to a model directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.model = write_mlmodel(folder / "model", "a")

    def file(self, path: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
        return file

    def gather(
        self, seen: Iterable[str], *, modules: dict[str, str], data: Iterable[str] = ()
    ) -> LocalCode:
        files: dict[str, str | None] = {
            name: str(self.file(path)) for name, path in modules.items()
        }
        outside = [UnownedFile(module=name, file=str(files[name])) for name in seen]
        outside += [UnownedFile(module=None, file=str(self.file(path))) for path in data]
        return gather(outside, files, ModelDirectory.open(self.model))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("modules", "seen", "targets"),
    [
        ({"tools": "tools.py"}, ["tools"], ["code/tools.py"]),
        (
            {"fast": "fast.cpython-311-x86_64-linux-gnu.so"},
            ["fast"],
            ["code/fast.cpython-311-x86_64-linux-gnu.so"],
        ),
        ({"a": "a/__init__.py", "a.b": "a/b.py"}, ["a.b"], ["code/a/__init__.py", "code/a/b.py"]),
        ({"space.a": "space/a.py"}, ["space.a"], ["code/space/a.py"]),
        (
            {"a": "a/__init__.py", "a.b": "a/b/__init__.py"},
            ["a", "a.b"],
            ["code/a/__init__.py", "code/a/b/__init__.py"],
        ),
    ],
)
def test_modules_keep_their_packages(
    project: Project, modules: dict[str, str], seen: list[str], targets: list[str]
) -> None:
    found = project.gather(seen, modules=modules)

    assert list(found.files) == targets
    assert found.left == ()


def test_data_in_a_package_is_copied_and_other_data_is_not(project: Project) -> None:
    found = project.gather(
        ["a"], modules={"a": "a/__init__.py"}, data=["a/tables/x.csv", "elsewhere/y.csv"]
    )

    assert list(found.files) == ["code/a/__init__.py", "code/a/tables/x.csv"]
    assert [Path(each.file).name for each in found.left] == ["y.csv"]


def test_a_module_whose_file_does_not_match_its_name_is_not_copied(project: Project) -> None:
    found = project.gather(["plugin_1"], modules={"plugin_1": "plugins/one.py"})

    assert found.files == {}
    assert [each.module for each in found.left] == ["plugin_1"]


def test_a_file_of_the_model_is_never_replaced(project: Project) -> None:
    (project.model / "code").mkdir()
    (project.model / "code" / "tools.py").write_text("the model's own")

    found = project.gather(["tools"], modules={"tools": "tools.py"})

    assert found.files == {}
    assert [each.module for each in found.left] == ["tools"]
