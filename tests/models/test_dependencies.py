"""The file that states what a model depends on, or its text."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound
from envkit.models.dependencies import get_model_dependencies
from tests.builders.environment_files import PYTHON_ENV
from tests.cases import cases

Make = Callable[..., Path]


@pytest.fixture
def normal(make: Make) -> Path:
    """Give the model that the cases speak of."""
    conda = (
        "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=23.2.1\n"
        "- pip:\n  - mlflow==3.17.2\n  - a\nname: mlflow-env\n"
    )
    return make(
        requirements__txt="mlflow==3.17.2\na", conda__yaml=conda, python_env__yaml=PYTHON_ENV
    )


@pytest.mark.parametrize("case", cases("dependencies"))
@pytest.mark.filterwarnings("ignore:.*has no requirements.txt")
def test_dependencies_are_found_as_by_the_reference(normal: Path, case: dict[str, Any]) -> None:
    for name in case["given"].get("missing", ()):
        (normal / name).unlink()
    form = case["given"]["format"]
    if "error" in case["expect"]:
        with pytest.raises((InvalidArgument, InvalidFile)):
            get_model_dependencies(normal, format=form)
        return

    path = Path(get_model_dependencies(normal, format=form))

    text = case["expect"]["text"].replace("{PY}", "3.11.7").replace("{INSTALLED}", "23.2.1")
    assert path.name == case["expect"]["file"]
    assert path.read_text() == text.replace("{MLFLOW}", "3.17.2")


def test_a_pip_section_is_written_where_pip_can_read_it(make: Make) -> None:
    pip = "[./w-1-py3-none-any.whl, a, -c c.txt, -i https://i.example]"
    path = make(conda__yaml=f"dependencies: [libgcc, {{pip: {pip}}}]\n", c__txt="z<2\n")
    (path / "w-1-py3-none-any.whl").touch()

    with pytest.warns(
        UserWarning, match=r"has no requirements.txt; .*The conda packages are not in it: libgcc"
    ):
        found = Path(get_model_dependencies(path.as_uri()))

    assert (
        found.read_text()
        == f"--index-url https://i.example\n{path}/w-1-py3-none-any.whl\na\n-c constraints.txt\n"
    )
    assert found.with_name("constraints.txt").read_text() == "z<2\n"
    assert not (path / "requirements.txt").exists()
    shutil.rmtree(found.parent)


def test_the_lock_is_found_too(make: Make) -> None:
    path = make(requirements__txt="a\n")
    with pytest.raises(InvalidFile, match="`envkit capture` writes it"):
        get_model_dependencies(path, "pylock")
    (path / "pylock.toml").touch()

    assert get_model_dependencies(path, "pylock") == str(path / "pylock.toml")


def test_what_has_no_dependencies_says_why(make: Make, tmp_path: Path) -> None:
    path = make(conda__yaml="dependencies: [python=3.11]\n")

    with pytest.raises(InvalidFile, match="there is no pip section"):
        get_model_dependencies(path)
    with pytest.raises(InvalidArgument, match="format must be pip or conda"):
        get_model_dependencies(path, format="poetry")
    with pytest.raises(ModelNotFound):
        get_model_dependencies(tmp_path / "gone")
