"""The files that describe a model and its environment, each read when it is first needed, and once.

Nothing here raises for what is wrong in a model: a file that cannot be read is a fact too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from envkit.errors import InvalidFile, PathOutsideModel
from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    mlmodel,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.mlmodel import MLModel, PythonFunction
from envkit.formats.pylock import Pylock
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.text import MAX_BYTES, read_text
from envkit.models.directory import ModelDirectory
from envkit.validating.files import requirement_files
from envkit.validating.files.evidence import Evidence
from envkit.validating.files.requirement_files import Broken, RequirementFiles

T = TypeVar("T")


class ModelFiles:
    """The files of one model.

    path: absolute, links resolved.
    bare: the artifact, where there is no `MLmodel`.
    not_fetched: large files of a remote model that were not fetched, with their sizes in bytes
        where known.
    """

    def __init__(
        self,
        path: Path,
        *,
        bare: ModelDirectory | None = None,
        not_fetched: Mapping[str, int | None] | None = None,
    ) -> None:
        """`path` is a directory with an `MLmodel`, valid or not, or that of a `bare` artifact."""
        self.path = path.resolve()
        self.bare = bare
        self.not_fetched = not_fetched or {}
        self._broken: list[Broken] = []
        self._outside: dict[str, bool] = {}
        self._texts: dict[str, str] = {}

    @cached_property
    def broken(self) -> tuple[Broken, ...]:
        """The files that cannot be read, with the reasons."""
        # reading them notes what is broken
        self.mlmodel, self.python_env, self.conda, self.lock, self.evidence, self.variables  # noqa: B018
        broken = list(self._broken)
        for files in (self.requirement_files, self.conda_pip, self.python_env_pip):
            if files is not None:
                broken += files.broken
        return tuple(dict.fromkeys(broken))

    @cached_property
    def mlmodel(self) -> MLModel | None:
        """What `MLmodel` says, or would say of a bare artifact; None when it is malformed."""
        if self.bare is not None:
            return self.bare.mlmodel
        return self._read(mlmodel.FILE_NAME, mlmodel.read)

    @property
    def flavor(self) -> PythonFunction | None:
        """The flavor `python_function`."""
        if self.mlmodel is None:
            return None
        return self.mlmodel.python_function

    @cached_property
    def directory(self) -> ModelDirectory | None:
        """The model as the rest of envkit takes it; None when its `MLmodel` is malformed."""
        if self.bare is not None:
            return self.bare
        if self.mlmodel is None:
            return None
        return ModelDirectory(path=self.path, mlmodel=self.mlmodel)

    @cached_property
    def conda_name(self) -> str:
        """The file that `MLmodel` names for conda, else the usual one."""
        named = self.flavor.conda_env if self.flavor else None
        return self._inside(named, conda_yaml.FILE_NAME)

    @cached_property
    def python_env_name(self) -> str:
        """The file that `MLmodel` names for virtual environments, else the usual one."""
        named = self.flavor.python_env if self.flavor else None
        return self._inside(named, python_env_yaml.FILE_NAME)

    @cached_property
    def conda(self) -> CondaEnv | None:
        """`conda.yaml`."""
        return self._read(self.conda_name, conda_yaml.read)

    @cached_property
    def python_env(self) -> PythonEnv | None:
        """`python_env.yaml`."""
        return self._read(self.python_env_name, python_env_yaml.read)

    @cached_property
    def lock(self) -> Pylock | None:
        """`pylock.toml`."""
        return self._read(pylock_toml.FILE_NAME, pylock_toml.read)

    @cached_property
    def evidence(self) -> Evidence | None:
        """`envkit.json`."""
        content = self._read(envkit_json.FILE_NAME, envkit_json.read)
        if content is None:
            return None
        try:
            return Evidence.parse(content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problem = f"was not written by `envkit capture` ({type(error).__name__}: {error})"
            self._broken.append(Broken(file=envkit_json.FILE_NAME, field="", problem=problem))
            return None

    @cached_property
    def variables(self) -> tuple[str, ...] | None:
        """The names in `environment_variables.txt`; None without the file, or if it has values."""
        if self.variable_values:
            return None
        names: tuple[str, ...] | None = self._read(
            environment_variables_txt.FILE_NAME, environment_variables_txt.read
        )
        return names

    @cached_property
    def variable_values(self) -> tuple[int, ...]:
        """The lines of `environment_variables.txt` that hold more than a name."""
        try:
            text = read_text(self.path / environment_variables_txt.FILE_NAME)
        except InvalidFile:
            return ()
        return tuple(
            number
            for number, line in enumerate(text.splitlines(), 1)
            if "=" in line and not line.lstrip().startswith("#")
        )

    @cached_property
    def requirement_files(self) -> RequirementFiles | None:
        """`requirements.txt` with all that it refers to."""
        path = self.path / requirements_txt.FILE_NAME
        if not os.path.lexists(path) or self.leads_out(requirements_txt.FILE_NAME):
            return None
        return requirement_files.read(path, self.path)

    @cached_property
    def conda_pip(self) -> RequirementFiles | None:
        """The pip section of `conda.yaml` with all that it refers to."""
        if self.conda is None or self.conda.pip is None:
            return None
        return self._read_lines(self.conda_name, self.conda.pip)

    @cached_property
    def python_env_pip(self) -> RequirementFiles | None:
        """The dependencies of `python_env.yaml` with all that they refer to."""
        if self.python_env is None:
            return None
        return self._read_lines(self.python_env_name, self.python_env.dependencies)

    @cached_property
    def conda_python(self) -> str | None:
        """The version of Python in `conda.yaml`."""
        if self.conda is None:
            return None
        try:
            return conda_yaml.python_version(self.conda, self.path / self.conda_name)
        # reported as an inexact Python
        except InvalidFile:
            return None

    def leads_out(self, value: str) -> bool:
        """Whether a path that a field names leaves the model, also through a symbolic link."""
        if value not in self._outside:
            self._outside[value] = self._is_outside(value)
        return self._outside[value]

    def is_there(self, value: str) -> bool:
        """Whether a file or folder of the model exists, fetched or not."""
        if (self.path / value).exists():
            return True
        name = value.removeprefix("./").rstrip("/")
        return any(f"{file}/".startswith(f"{name}/") for file in self.not_fetched)

    def has(self, name: str) -> bool:
        """Whether a file of the model exists, and not behind a link that leads out."""
        return not self.leads_out(name) and (self.path / name).is_file()

    def text(self, name: str) -> str:
        """The text of a file of the model; empty when it does not exist or is not text."""
        if name not in self._texts:
            self._texts[name] = self._read_text(name)
        return self._texts[name]

    def forget(self, name: str) -> None:
        """Forget the text of a file that was changed."""
        self._texts.pop(name, None)

    def line_of(self, file: str, text: str) -> int:
        """The first line of a file that contains a text; 0 when none does."""
        for number, line in enumerate(self.text(file).splitlines(), 1):
            if text in line:
                return number
        return 0

    def _read(self, name: str, reader: Callable[[Path], T]) -> T | None:
        """Read a file; None when it does not exist or is malformed, which is noted as broken."""
        if self.leads_out(name) or not os.path.lexists(self.path / name):
            return None
        try:
            return reader(self.path / name)
        except InvalidFile as error:
            self._broken.append(requirement_files.broken(error, self.path))
        except PathOutsideModel as error:
            problem = f"'{error.value}' leads out of the model"
            self._broken.append(Broken(file=name, field=error.field, problem=problem))
        return None

    def _read_text(self, name: str) -> str:
        if not self.has(name):
            return ""
        max_bytes = envkit_json.MAX_BYTES if name == envkit_json.FILE_NAME else MAX_BYTES
        try:
            return read_text(self.path / name, max_bytes=max_bytes)
        except InvalidFile:
            return ""

    def _read_lines(self, name: str, lines: tuple[str, ...]) -> RequirementFiles:
        return requirement_files.read_lines(lines, self.path / name, self.path, self.text(name))

    def _inside(self, name: str | None, usual: str) -> str:
        if name is None or self.leads_out(name):
            return usual
        return name

    def _is_outside(self, value: str) -> bool:
        if Path(value).is_absolute():
            return True
        try:
            return not (self.path / value).resolve().is_relative_to(self.path)
        # a circle of links, a NUL character
        except (OSError, RuntimeError, ValueError):
            return True
