from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from envkit.errors import InvalidFile, PathOutsideModel
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environment_files import CONDA, PYTHON_ENV
from tests.builders.requirements import texts

Make = Callable[..., Path]


def spec_of(path: Path) -> EnvironmentSpec:
    return read_spec(ModelDirectory.open(path))


def test_all_files_together_make_the_spec(make: Make) -> None:
    path = make(
        requirements__txt=(
            "--pre\nb==2 --hash=sha256:00\na @ https://h.example/a.whl\n-c constraints.txt\n"
        ),
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
        (
            "flavors:\n  python_function: {env: env.yml, loader_module: mlflow.sklearn, "
            "python_version: 3.6.8}\n"
        ),
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
def test_what_is_not_a_version_of_python_is_refused(make: Make, version: str) -> None:
    with pytest.raises(
        InvalidFile, match=r"python_env\.yaml, python: '.*' is not a version of Python"
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


def conda_spec_of(path: Path) -> EnvironmentSpec:
    return read_spec(ModelDirectory.open(path), for_conda=True)


def test_a_conda_environment_of_a_model_without_conda_yaml_has_what_the_other_files_state(
    make: Make,
) -> None:
    path = make(python_env__yaml=PYTHON_ENV, requirements__txt="a==1\n")

    spec = conda_spec_of(path)

    assert spec.python == "3.9.18"
    assert texts(spec.requirements) == ("a==1",)


def test_a_conda_environment_of_a_conda_yaml_without_python_has_that_of_the_model(
    make: Make,
) -> None:
    spec = conda_spec_of(make(conda__yaml="dependencies: [libgcc]\n"))

    assert spec.python == "3.11.7"
    assert spec.conda_specs == ("libgcc",)


@pytest.mark.parametrize(
    ("python", "version"),
    [
        ("python=3.10.13", "3.10.13"),
        ("python==3.10.13", "3.10.13"),
        ("python 3.10", "3.10"),
        ("python=3.10.13=h955ad1f_0", "3.10.13"),
        ("conda-forge::python=3.10", "3.10"),
        ("python[version='3.10']", "3.10"),
        ("python>=3.10", "3"),
        ("python=3.10|3.11", "3"),
        ("python=3.*", "3"),
        ("python", "3"),
    ],
)
def test_conda_chooses_the_python_of_a_range(make: Make, python: str, version: str) -> None:
    path = make(conda__yaml=f'dependencies: ["{python}", {{pip: [a]}}]\n')

    assert conda_spec_of(path).python == version


def test_only_the_pip_section_is_installed_into_a_conda_environment(make: Make) -> None:
    path = make(conda__yaml=CONDA, requirements__txt="b==1\n", pylock__toml="")

    spec = conda_spec_of(path)

    assert texts(spec.requirements) == ("mlflow==3.1", "a")
    assert spec.lock == LockFile(path=path / "pylock.toml")


def test_a_lock_is_not_for_a_conda_environment_without_a_pip_section(make: Make) -> None:
    path = make(conda__yaml="dependencies: [python=3.10, libgcc]\n", pylock__toml="")

    assert conda_spec_of(path).lock is None


def test_reading_a_spec_loads_no_library_but_yaml() -> None:
    program = (
        "import sys; before = set(sys.modules); import envkit.models.environment_files; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} "
        "- set(sys.stdlib_module_names)))"
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
