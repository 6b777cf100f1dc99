"""The environment files of a model directory, read into an `EnvironmentSpec`.

Predictions read them first, so nothing here imports `packaging` for plain pins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from envkit.errors import InvalidFile
from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    mlmodel,
    pixi_lock,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.pylock_toml import LockFile
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.requirement import Requirement
from envkit.formats.requirements_txt import Reference, RequirementsFile
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec

_T = TypeVar("_T")

_PYTHON_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?")
_CONDA_RANGE = re.compile(r"[<>!|*~]")
_NUMBER = re.compile(r"\d+(\.\d+)*")
_PYTHON_FIELD = "flavors.python_function.python_version"
_ANY_PYTHON_3 = "3"


def read_spec(model: ModelDirectory, *, for_conda: bool = False) -> EnvironmentSpec:
    """Read what environment the model needs.

    Python: `python_env.yaml`, else `conda.yaml`, else the `python_version` of the flavor.
    Requirements: `requirements.txt`, else the dependencies of `python_env.yaml`, else the pip
    section of `conda.yaml`. With `for_conda`, an existing `conda.yaml` states everything: the
    requirements are those of its pip section, none without one.

    Raises `InvalidFile` for a malformed file, for one that leads out of the model, and when the
    model has none of them.
    """
    files = _Files.of(model)
    if for_conda:
        python, stated = files.conda_python(), files.conda_requirements()
        assumed: tuple[Requirement, ...] = ()
        uses_lock = bool(stated.requirements)
    else:
        python, stated = files.python(), files.requirements()
        assumed = files.assumed(stated)
        uses_lock = True
    lock = model.file(pylock_toml.FILE_NAME) if uses_lock else None
    conda = files.conda or CondaEnv()
    return EnvironmentSpec(
        directory=model.path,
        python=python,
        requirements=stated.requirements,
        constraints=stated.constraints,
        options=stated.options,
        build_dependencies=files.build_dependencies(),
        assumed=assumed,
        lock=LockFile(path=lock) if lock is not None else None,
        conda_channels=conda.channels,
        conda_packages=conda.packages,
        conda_alone=_conda_alone(conda, stated, model),
        conda_specs=conda.dependencies,
        conda_lock=model.file(pixi_lock.FILE_NAME),
        conda_variables=conda.variables,
        variables=_variables(model),
    )


def _variables(model: ModelDirectory) -> tuple[str, ...]:
    path = model.file(environment_variables_txt.FILE_NAME)
    if path is None:
        return model.mlmodel.variables
    return environment_variables_txt.read(path)


def _conda_alone(
    conda: CondaEnv, stated: RequirementsFile, model: ModelDirectory
) -> tuple[str, ...]:
    """Conda packages without a matching requirement or constraint, according to the evidence."""
    path = model.file(envkit_json.FILE_NAME)
    if not conda.packages or path is None:
        return conda.packages
    recorded = envkit_json.read(path).get("conda")
    if not isinstance(recorded, Mapping):
        return conda.packages
    names = {requirement.name for requirement in (*stated.requirements, *stated.constraints)}
    represented = {
        str(package["name"])
        for package in recorded.get("packages", ())
        if names.intersection(package.get("needed_for", ()))
    }
    return tuple(spec for spec in conda.packages if conda_yaml.name_of(spec) not in represented)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Files:
    """The files that exist, parsed except for `requirements.txt`."""

    model: ModelDirectory
    requirements_path: Path | None
    python_env: PythonEnv | None
    conda: CondaEnv | None

    @classmethod
    def of(cls, model: ModelDirectory) -> _Files:
        files = cls(
            model=model,
            requirements_path=model.file(requirements_txt.FILE_NAME),
            python_env=_read_existing(model.python_env_path, python_env_yaml.read),
            conda=_read_existing(model.conda_env_path, conda_yaml.read),
        )
        if files.requirements_path is None and files.python_env is None and files.conda is None:
            raise InvalidFile(
                model.path,
                "",
                "has neither requirements.txt nor python_env.yaml nor conda.yaml, "
                "so its environment is not known",
                model.hint_of_r or "Run `envkit capture` where the model works.",
            )
        return files

    def python(self) -> str:
        """Give the version of the interpreter."""
        if self.python_env is not None:
            return _checked_version(self.python_env.python, self.model.python_env_path, "python")
        if self.conda is not None:
            path = self.model.conda_env_path
            version = conda_yaml.python_version(self.conda, path)
            if version is not None:
                return _checked_version(version, path, "dependencies")
        path = self.model.path / mlmodel.FILE_NAME
        flavor = self.model.mlmodel.python_function
        if flavor is None or flavor.python_version is None:
            raise InvalidFile(
                path,
                _PYTHON_FIELD,
                "is missing, and neither python_env.yaml nor conda.yaml names a Python version",
                "Run `envkit capture` where the model works, or add it there.",
            )
        return _checked_version(flavor.python_version, path, _PYTHON_FIELD)

    def conda_python(self) -> str:
        """Give the version pinned in `conda.yaml`, `3` for a range, else that of the model."""
        if self.conda is None or self.conda.python is None:
            return self.python()
        _, _, bound = self.conda.python.partition("python")
        version = _NUMBER.search(bound)
        if version is None or _CONDA_RANGE.search(bound):
            return _ANY_PYTHON_3
        return version[0]

    def requirements(self) -> RequirementsFile:
        """Give requirements, constraints and options, with the files that they refer to."""
        if self.requirements_path is not None:
            path = self.requirements_path
            return _checked(requirements_txt.read(path, root=self.model.path))
        dependencies = self.python_env.dependencies if self.python_env is not None else ()
        if dependencies and not self._only_refers(dependencies):
            return self._follow(dependencies, self.model.python_env_path)
        if self.conda is not None:
            return self._follow(self.conda.pip or (), self.model.conda_env_path)
        # where these refer to a missing requirements.txt, the error says so
        return self._follow(dependencies, self.model.python_env_path)

    def conda_requirements(self) -> RequirementsFile:
        """Give what the pip section of `conda.yaml` requires."""
        if self.conda is None:
            return self.requirements()
        return self._follow(self.conda.pip or (), self.model.conda_env_path)

    def build_dependencies(self) -> tuple[Requirement, ...]:
        """Give pip, setuptools and wheel, as the files require them."""
        if self.python_env is not None:
            lines, path = self.python_env.build_dependencies, self.model.python_env_path
        elif self.conda is not None:
            lines, path = self.conda.tools, self.model.conda_env_path
        else:
            return ()
        return tuple(Requirement(text=line, file=path) for line in lines)

    def assumed(self, stated: RequirementsFile) -> tuple[Requirement, ...]:
        """Give setuptools as MLflow recorded it: MLflow <= 2.9 needs it without requiring it."""
        names = {requirement.name for requirement in (*stated.requirements, *stated.constraints)}
        is_captured = self.model.file(envkit_json.FILE_NAME) is not None
        if "setuptools" in names or is_captured:
            return ()
        return tuple(tool for tool in self.build_dependencies() if tool.name == "setuptools")

    def _follow(self, lines: tuple[str, ...], path: Path) -> RequirementsFile:
        return _checked(requirements_txt.follow("\n".join(lines), path, root=self.model.path))

    def _only_refers(self, lines: tuple[str, ...]) -> bool:
        """Whether the lines say only that there is a `requirements.txt`."""
        entries = requirements_txt.parse("\n".join(lines), self.model.python_env_path)
        return all(
            isinstance(entry, Reference) and entry.target == requirements_txt.FILE_NAME
            for entry in entries
        )


def _read_existing(path: Path, read: Callable[[Path], _T]) -> _T | None:
    if path.exists():
        return read(path)
    return None


def _checked_version(text: str, path: Path, where: str) -> str:
    if _PYTHON_VERSION.fullmatch(text) is None:
        raise InvalidFile(
            path, where, f"'{text}' is not a version of Python", "Write it as `3.11.7`."
        )
    return text


def _checked(stated: RequirementsFile) -> RequirementsFile:
    """Refuse a requirement that no installer accepts, before anything is built."""
    for requirement in (*stated.requirements, *stated.constraints):
        if not requirement.is_valid:
            raise InvalidFile(
                requirement.file,
                f"line {requirement.line}",
                f"'{requirement.text}' is not a requirement",
                "Write it as `numpy==1.26.4`, `name @ https://…` "
                "or `./wheels/name-1.0-py3-none-any.whl`.",
            )
    return stated
