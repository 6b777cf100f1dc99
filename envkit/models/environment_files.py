"""The files of a model directory that say which environment it needs, read into an `EnvironmentSpec`."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from envkit.errors import InvalidArgument, InvalidFile
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
from envkit.formats.requirements_txt import Entry, Reference, RequirementsFile
from envkit.formats.text import read_text
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import dependencies

_T = TypeVar("_T")

FORMATS = ("pip", "conda", "pylock")


def read_spec(model: ModelDirectory, *, for_conda: bool = False) -> EnvironmentSpec:
    """Read what environment the model needs.

    Python: `python_env.yaml`, else `conda.yaml`, else the `python_version` of the flavor.
    Requirements: `requirements.txt`, else the dependencies of `python_env.yaml`, else the pip
    section of `conda.yaml`. With `for_conda` a `conda.yaml` that is there says all: the
    requirements are those of its pip section, none without one.

    Raises `InvalidFile` for a malformed file, for one that leads out of the model, and when there
    is none at all.
    """
    files = _Files.of(model)
    if for_conda:
        installed = files.conda_requirements()
    else:
        installed = files.requirements()
    lock_path = None
    if installed.requirements or not for_conda:
        lock_path = model.file(pylock_toml.FILE_NAME)
    variables = model.file(environment_variables_txt.FILE_NAME)
    return EnvironmentSpec(
        directory=model.path,
        python=files.conda_python() if for_conda else files.python(),
        requirements=installed.requirements,
        constraints=installed.constraints,
        options=installed.options,
        build_dependencies=files.build_dependencies(),
        assumed=() if for_conda else files.assumed(installed),
        lock=LockFile(path=lock_path) if lock_path is not None else None,
        conda_channels=files.conda.channels if files.conda else (),
        conda_packages=files.conda.packages if files.conda else (),
        conda_alone=_conda_alone(files.conda, installed, model) if files.conda else (),
        conda_specs=files.conda.dependencies if files.conda else (),
        conda_lock=model.file(pixi_lock.FILE_NAME),
        conda_variables=files.conda.variables if files.conda else (),
        variables=environment_variables_txt.read(variables)
        if variables
        else model.mlmodel.variables,
    )


def get_model_dependencies(model_uri: str | Path, format: str = "pip") -> str:  # noqa: A002 - the name users know
    """Give the path of the file that says what a model depends on.

    model_uri: a model; of one elsewhere only the few small files are fetched that tell it. format:
    `pip` for `requirements.txt`, `conda` for `conda.yaml`, `pylock` for `pylock.toml`. When a model
    has no `requirements.txt`, the pip section of its `conda.yaml` is written to one in a new
    temporary folder, which the caller may remove, and a `UserWarning` says so.

    Raises `InvalidArgument` for another format, `ModelNotFound` when there is no model,
    `InvalidFile` when it has no such file.
    """
    model = ModelDirectory.open(model_uri, dependencies(format))
    path = _dependencies_path(model, format)
    if path is not None:
        return str(path)
    texts, without = _extracted(model)
    import tempfile  # few models need it

    folder = Path(tempfile.mkdtemp(prefix="envkit-"))
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    target = folder / requirements_txt.FILE_NAME
    warnings.warn(
        f"{_told_of_extraction(model)}; it is written to {target}.{without}", stacklevel=2
    )
    return str(target)


def read_model_dependencies(model_uri: str | Path, format: str = "pip") -> tuple[str, str]:  # noqa: A002
    """Give the content of the file that `get_model_dependencies` leads to, and a note, empty when it is as it lies.

    Nothing is written. Raises what that raises, and `InvalidFile` for a file that is no text.
    """
    model = ModelDirectory.open(model_uri, dependencies(format))
    path = _dependencies_path(model, format)
    if path is not None:
        return read_text(path), ""
    texts, without = _extracted(model)
    return texts[requirements_txt.FILE_NAME], f"{_told_of_extraction(model)}.{without}"


def _dependencies_path(model: ModelDirectory, form: str) -> Path | None:
    """Give the file of a format; None when requirements must be extracted from `conda.yaml`."""
    if form not in FORMATS:
        raise InvalidArgument(f"format must be pip or conda (or pylock), not {form!r}.")
    if form == "conda":
        return _existing(
            model.conda_env_path, model.hint_of_r or "conda.yaml is written by `envkit capture`."
        )
    if form == "pylock":
        lock = model.file(pylock_toml.FILE_NAME)
        return lock or _existing(
            model.path / pylock_toml.FILE_NAME, model.hint_of_r or "`envkit capture` writes it."
        )
    return model.file(requirements_txt.FILE_NAME)


def _told_of_extraction(model: ModelDirectory) -> str:
    return f"{model.path} has no requirements.txt; this is the pip section of its {model.conda_env_path.name}"


def _conda_alone(
    conda: CondaEnv, installed: RequirementsFile, model: ModelDirectory
) -> tuple[str, ...]:
    """The conda packages but for those that brought what is a requirement or a constraint, too: the evidence knows."""
    path = model.file(envkit_json.FILE_NAME)
    if not conda.packages or path is None:
        return conda.packages
    known = {each.name for each in (*installed.requirements, *installed.constraints)}
    noted = envkit_json.read(path).get("conda") or {}
    if isinstance(noted, dict):
        listed = noted.get("packages", ())
    else:
        listed = ()
    stood_for = {str(each["name"]) for each in listed if known & set(each.get("needed_for", ()))}
    return tuple(spec for spec in conda.packages if conda_yaml.name_of(spec) not in stood_for)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Files:
    """The files that are there, read."""

    model: ModelDirectory
    requirements_path: Path | None
    python_env: PythonEnv | None
    conda: CondaEnv | None

    @classmethod
    def of(cls, model: ModelDirectory) -> _Files:
        files = cls(
            model=model,
            requirements_path=model.file(requirements_txt.FILE_NAME),
            python_env=_if_there(model.python_env_path, python_env_yaml.read),
            conda=_if_there(model.conda_env_path, conda_yaml.read),
        )
        if files.requirements_path is None and files.python_env is None and files.conda is None:
            raise InvalidFile(
                model.path,
                "",
                "has neither requirements.txt nor python_env.yaml nor conda.yaml, so its environment is not known",
                model.hint_of_r or "Run `envkit capture` where the model works.",
            )
        return files

    def python(self) -> str:
        """Give the version of the interpreter."""
        if self.python_env is not None:
            return _version(self.python_env.python, self.model.python_env_path, "python")
        flavor = self.model.mlmodel.python_function
        if self.conda:
            in_conda = conda_yaml.python_version(self.conda, self.model.conda_env_path)
        else:
            in_conda = None
        found = in_conda or (flavor.python_version if flavor else None)
        if found is None:
            raise InvalidFile(
                self.model.path / mlmodel.FILE_NAME,
                "flavors.python_function.python_version",
                "is missing, and neither python_env.yaml nor conda.yaml says which Python the model needs",
                "Run `envkit capture` where the model works, or write it there.",
            )
        if in_conda:
            return _version(found, self.model.conda_env_path, "dependencies")
        return _version(
            found, self.model.path / mlmodel.FILE_NAME, "flavors.python_function.python_version"
        )

    def requirements(self) -> RequirementsFile:
        """Give requirements, constraints and options, with the files that they refer to."""
        if self.requirements_path is not None:
            found = requirements_txt.read(self.requirements_path, root=self.model.path)
        elif self.python_env is not None and not self._only_refers(self.python_env.dependencies):
            found = self._follow(self.python_env.dependencies, self.model.python_env_path)
        elif self.conda is not None and self.conda.pip is not None:
            found = self._follow(self.conda.pip, self.model.conda_env_path)
        elif self.conda is not None or self.python_env is None or not self.python_env.dependencies:
            found = RequirementsFile()
        else:
            # names what is missing
            found = self._follow(self.python_env.dependencies, self.model.python_env_path)
        for each in (*found.requirements, *found.constraints):
            _check_plausible(each)
        return found

    def conda_python(self) -> str:
        """Give the version that `conda.yaml` names, `3` where it leaves the choice to conda, else that of the model."""
        if self.conda is None or self.conda.python is None:
            return self.python()
        found = re.search(
            r"(?<![<!\d.])=?=?\s*(\d+(\.\d+)*)", self.conda.python.partition("python")[2]
        )
        if found and not re.search(r"[<>!|*~]", self.conda.python):
            return found[1]
        return "3"

    def conda_requirements(self) -> RequirementsFile:
        """Give what the pip section of `conda.yaml` asks for."""
        if self.conda is None:
            return self.requirements()
        found = self._follow(self.conda.pip or (), self.model.conda_env_path)
        for each in (*found.requirements, *found.constraints):
            _check_plausible(each)
        return found

    def build_dependencies(self) -> tuple[Requirement, ...]:
        """Give pip, setuptools and wheel, as the files want them."""
        if self.python_env is not None:
            lines, path = self.python_env.build_dependencies, self.model.python_env_path
        elif self.conda is not None:
            lines, path = self.conda.tools, self.model.conda_env_path
        else:
            return ()
        return tuple(Requirement(text=line, file=path) for line in lines)

    def assumed(self, installed: RequirementsFile) -> tuple[Requirement, ...]:
        """Give setuptools as MLflow recorded it, whose versions up to 2.9 import its `pkg_resources` undeclared."""
        named = {each.name for each in (*installed.requirements, *installed.constraints)}
        if "setuptools" in named or self.model.file(envkit_json.FILE_NAME) is not None:
            return ()
        return tuple(tool for tool in self.build_dependencies() if tool.name == "setuptools")

    def _follow(self, lines: tuple[str, ...], path: Path) -> RequirementsFile:
        return requirements_txt.follow("\n".join(lines), path, root=self.model.path)

    def _only_refers(self, lines: tuple[str, ...]) -> bool:
        """Whether the lines say no more than that there is a `requirements.txt`."""
        entries = requirements_txt.parse("\n".join(lines), self.model.python_env_path)
        return all(
            isinstance(each, Reference) and each.target == requirements_txt.FILE_NAME
            for each in entries
        )


def _version(text: str, path: Path, where: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)*((a|b|rc)\d+)?", text) is None:
        raise InvalidFile(path, where, f"'{text}' is no version of Python", "As in `3.11.7`.")
    return text


def _check_plausible(requirement: Requirement) -> None:
    if not requirement.is_valid:
        raise InvalidFile(
            requirement.file, f"line {requirement.line}", f"'{requirement.text}' is not a requirement",
            "As in `numpy==1.26.4`, `name @ https://…` or `./wheels/name-1.0-py3-none-any.whl`.",
        )  # fmt: skip


def _if_there(path: Path, read: Callable[[Path], _T]) -> _T | None:
    if path.exists():
        return read(path)
    return None


def _existing(path: Path, hint: str) -> Path:
    if not path.is_file():
        raise InvalidFile(path, "", "there is no such file", hint)
    return path


def _extracted(model: ModelDirectory) -> tuple[dict[str, str], str]:
    """Give the pip section of the model's `conda.yaml` as requirements files, and a sentence on what is not in it."""
    without = "There is no requirements.txt either; `envkit capture` writes both."
    path = _existing(model.conda_env_path, model.hint_of_r or without)
    env = conda_yaml.read(path)
    if env.pip is None:
        raise InvalidFile(
            path, "dependencies", "there is no pip section, and the model has no requirements.txt"
        )
    found = requirements_txt.follow("\n".join(env.pip), path, root=model.path)
    constraints = [_rebased(each, model.path) for each in found.constraints]
    if constraints:
        last = [Reference(target=requirements_txt.CONSTRAINTS_FILE_NAME, constraint=True)]
    else:
        last = []
    lines: list[Entry] = [
        *found.options,
        *(_rebased(each, model.path) for each in found.requirements),
        *last,
    ]
    texts = {requirements_txt.FILE_NAME: _text(lines)}
    if constraints:
        texts[requirements_txt.CONSTRAINTS_FILE_NAME] = _text(constraints)
    return (
        texts,
        f" The conda packages are not in it: {', '.join(env.packages)}." if env.packages else "",
    )


def _text(lines: Iterable[Entry]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _rebased(requirement: Requirement, directory: Path) -> Requirement:
    """Make a path inside the model absolute, so that it can be read from the new folder."""
    path = requirement.path
    if path is None or not os.path.lexists(directory / path):
        return requirement
    return replace(
        requirement, text=requirement.text.replace(path, str((directory / path).resolve()), 1)
    )
