from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import get_model_dependencies, read_spec
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.requirements import texts
from tests.cases import cases

MLMODEL = """\
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.pyfunc.model
    python_version: 3.11.7
"""
CONDA = "channels: [conda-forge]\ndependencies:\n- python=3.10.13\n- pip<=23.2.1\n- libgcc\n- pip: [mlflow==3.1, a]\n"
PYTHON_ENV = "python: 3.9.18\nbuild_dependencies: [pip==23.2.1, wheel]\ndependencies: [-r requirements.txt]\n"

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a model of these files, `name_with_extension` given as `name__extension`."""

    def model(mlmodel: str = MLMODEL, **files: str) -> Path:
        path = tmp_path / "model"
        path.mkdir()
        (path / "MLmodel").write_text(mlmodel)
        for name, text in files.items():
            (path / name.replace("__", ".")).write_text(text)
        return path

    return model


def spec_of(path: Path) -> EnvironmentSpec:
    return read_spec(ModelDirectory.open(path))


def test_all_files_together_make_the_spec(make: Make) -> None:
    path = make(
        requirements__txt="--pre\nb==2 --hash=sha256:00\na @ https://h.example/a.whl\n-c constraints.txt\n",
        constraints__txt="c==3\n",
        python_env__yaml=PYTHON_ENV,
        conda__yaml=CONDA,
        environment_variables__txt="# names\nTOKEN\n",
        pylock__toml="",
    )

    assert spec_of(path) == EnvironmentSpec(
        directory=path,
        python="3.9.18",
        requirements=(
            Requirement(text="b==2", hashes=("sha256:00",), file=path / "requirements.txt", line=2),
            Requirement(text="a @ https://h.example/a.whl", file=path / "requirements.txt", line=3),
        ),
        constraints=(Requirement(text="c==3", file=path / "constraints.txt", line=1),),
        options=(Option(name="--pre", file=path / "requirements.txt", line=1),),
        build_dependencies=(
            Requirement(text="pip==23.2.1", file=path / "python_env.yaml"),
            Requirement(text="wheel", file=path / "python_env.yaml"),
        ),
        lock=LockFile(path=path / "pylock.toml"),
        conda_channels=("conda-forge",),
        conda_packages=("libgcc",),
        conda_alone=("libgcc",),
        conda_specs=("python=3.10.13", "pip<=23.2.1", "libgcc"),
        variables=("TOKEN",),
    )


@pytest.mark.parametrize(
    ("files", "assumed"),
    [
        ({"requirements__txt": "mlflow==2.9.2\n"}, ("setuptools==65.5.0",)),
        ({"requirements__txt": "mlflow==2.9.2\nsetuptools\n"}, ()),
        ({"requirements__txt": "mlflow==2.9.2\n", "envkit__json": "{}"}, ()),
    ],
)
def test_the_setuptools_that_mlflow_recorded_is_assumed_where_nothing_says_more(
    make: Make, files: dict[str, str], assumed: tuple[str, ...]
) -> None:
    env = PYTHON_ENV.replace("wheel]", "setuptools==65.5.0, wheel]")

    assert texts(spec_of(make(python_env__yaml=env, **files)).assumed) == assumed


def test_a_model_of_mlflow_1_has_only_a_conda_yaml(make: Make) -> None:
    path = make(
        "flavors:\n  python_function: {env: env.yml, loader_module: mlflow.sklearn, python_version: 3.6.8}\n",
        env__yml=CONDA,
    )

    spec = spec_of(path)

    assert (spec.python, texts(spec.requirements)) == ("3.10.13", ("mlflow==3.1", "a"))
    assert texts(spec.build_dependencies) == ("pip<=23.2.1",)


def test_the_flavor_knows_the_python_when_no_file_does(make: Make) -> None:
    assert spec_of(make(requirements__txt="a\n")).python == "3.11.7"


def test_any_python_in_conda_yaml_leaves_it_to_the_flavor(make: Make) -> None:
    assert spec_of(make(conda__yaml="dependencies: [python, {pip: [a]}]\n")).python == "3.11.7"


def test_python_envs_own_dependencies_count_without_a_requirements_file(make: Make) -> None:
    path = make(
        python_env__yaml="python: 3.9.18\ndependencies: [a==1, -r more.txt]\n", more__txt="m\n"
    )

    assert texts(spec_of(path).requirements) == ("a==1", "m")


def test_a_reference_to_a_missing_requirements_file_falls_to_the_pip_section(make: Make) -> None:
    spec = spec_of(make(python_env__yaml=PYTHON_ENV, conda__yaml=CONDA))

    assert texts(spec.requirements) == ("mlflow==3.1", "a")


def test_a_pip_section_may_refer_to_files(make: Make) -> None:
    path = make(
        conda__yaml="dependencies: [python=3.11, {pip: [-r req/a.txt, -c c.txt]}]\n", c__txt="z<2\n"
    )
    (path / "req").mkdir()
    (path / "req/a.txt").write_text("a\n./w.whl\n")

    spec = spec_of(path)

    assert texts(spec.requirements) == ("a", "./w.whl")
    assert texts(spec.constraints) == ("z<2",)


def test_a_missing_requirements_file_that_is_all_there_is_gets_named(make: Make) -> None:
    with pytest.raises(
        InvalidFile, match=r"requirements\.txt' refers to a file that does not exist"
    ):
        spec_of(make(python_env__yaml=PYTHON_ENV))


def test_a_model_that_says_nothing_of_its_environment_is_refused(make: Make) -> None:
    with pytest.raises(InvalidFile, match="Run `envkit capture`"):
        spec_of(make())


@pytest.mark.parametrize("version", ["banana", "3.11; rm", "3.x", ">=3.9"])
def test_what_is_no_version_of_python_is_refused(make: Make, version: str) -> None:
    with pytest.raises(
        InvalidFile, match=r"python_env\.yaml, python: '.*' is no version of Python"
    ):
        spec_of(make(python_env__yaml=f"python: '{version}'\n"))


def test_no_python_anywhere_is_refused(make: Make) -> None:
    path = make("flavors: {python_function: {loader_module: a}}\n", requirements__txt="a\n")

    with pytest.raises(InvalidFile, match="python_version: is missing"):
        spec_of(path)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"requirements__txt": "a\nnot a requirement!!\n"},
            r"requirements\.txt, line 2: 'not a requirement!!' is not",
        ),
        ({"requirements__txt": "<<<<<<< HEAD\n"}, "line 1"),
        (
            {"requirements__txt": "a\nsix==\n"},
            "requirements\\.txt, line 2: 'six==' is not a requirement",
        ),
        ({"requirements__txt": "six=1.0\n"}, "'six=1.0' is not a requirement"),
        ({"requirements__txt": "six; python > 3\n"}, "line 1"),
        (
            {"conda__yaml": "dependencies: [python=3.11, {pip: ['six==']}]\n"},
            "conda\\.yaml, .*'six==' is not",
        ),
        ({"requirements__txt": "-r ../x.txt\n"}, "leads out of"),
        ({"requirements__txt": "-r requirements.txt\n"}, "circle"),
        ({"requirements__txt": "a\n", "python_env__yaml": "python: 3.10\n"}, "in quotes"),
        ({"requirements__txt": "a\n", "python_env__yaml": ""}, r"python_env\.yaml: is empty"),
        (
            {"requirements__txt": "a\n", "python_env__yaml": "build_dependencies: [a]\n"},
            "python: is missing",
        ),
        ({"conda__yaml": "dependencies: [python<3.12]\n"}, "Pin it"),
        ({"conda__yaml": "dependencies: {python: 3}\n"}, "dependencies: expected a list"),
        ({"requirements__txt": "a\n", "environment_variables__txt": "A=b\n"}, "Names only"),
    ],
)
def test_a_malformed_file_is_named(make: Make, files: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidFile, match=problem):
        spec_of(make(**files))


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "conda.yaml",
        "python_env.yaml",
        "pylock.toml",
        "environment_variables.txt",
    ],
)
def test_an_environment_file_that_is_a_link_out_of_the_model_is_refused(
    make: Make, tmp_path: Path, name: str
) -> None:
    path = make(constraints__txt="a\n")
    (tmp_path / name).write_text(CONDA)
    (path / name).symlink_to(tmp_path / name)
    if name != "requirements.txt":
        (path / "requirements.txt").write_text("a\n")

    with pytest.raises(PathOutsideModel):
        spec_of(path)


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


def test_reading_a_spec_loads_no_library_but_yaml() -> None:
    program = (
        "import sys; before = set(sys.modules); import envkit.models.environment_files; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not {"packaging", "tomli_w", "pip", "click"} & set(yaml.safe_load(ended.stdout))


def test_conda_packages_that_requirements_stand_for_are_not_missing_without_conda(
    make: Make,
) -> None:
    listed = [
        {"name": "pytorch", "needed_for": ["torch"]},
        {"name": "libblas", "needed_for": ["lib/libblas.so"]},
    ]
    path = make(
        requirements__txt="torch==2.1\n",
        conda__yaml="dependencies: [python=3.11.7, pytorch=2.1, libblas=3.9]\n",
        envkit__json=json.dumps({"schema_version": 1, "conda": {"packages": listed}}),
    )

    assert spec_of(path).conda_packages == ("pytorch=2.1", "libblas=3.9")
    assert spec_of(path).conda_alone == ("libblas=3.9",)
