"""The files of a model that say what it is and what it needs, each read when it is first asked for, and once.

Nothing here raises for what is wrong in a model: what cannot be read is a fact too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
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
from envkit.formats.mlmodel import MLModel
from envkit.formats.pylock_toml import PyLock
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.text import MAX_BYTES, read_text
from envkit.models.directory import ModelDirectory
from envkit.validating.files.evidence import Evidence
from envkit.validating.files.requirement_files import (
    Broken,
    Line,
    RequirementFiles,
    broken,
    read,
    read_lines,
)

_T = TypeVar("_T")
# of flavors other than `python_function`
_PATH_KEYS = ("code", "data", "model_path", "pickled_model")


class ModelFiles:
    """The files of one model.

    path: absolute, links resolved; bare: the artifact, where there is no `MLmodel`; elsewhere:
    files that were not fetched, with their sizes in bytes if those are known.
    """

    def __init__(
        self,
        path: Path,
        *,
        bare: ModelDirectory | None = None,
        elsewhere: Mapping[str, int | None] | None = None,
    ) -> None:
        """`path` is a directory with an `MLmodel`, whatever is in that; or that of a `bare` artifact."""
        self.path = path.resolve()
        self.bare = bare
        self.elsewhere = elsewhere or {}
        self._broken: list[Broken] = []
        self._outside: dict[str, bool] = {}
        self._texts: dict[str, str] = {}

    @cached_property
    def broken(self) -> tuple[Broken, ...]:
        """The files that cannot be read as what they are."""
        self.mlmodel, self.python_env, self.conda, self.lock, self.evidence, self.variables  # noqa: B018 - reads them
        files = (self.requirement_files, self.conda_pip, self.python_env_pip)
        of_lines = (each for file in files if file is not None for each in file.broken)
        return tuple(dict.fromkeys((*self._broken, *of_lines)))

    @cached_property
    def mlmodel(self) -> MLModel | None:
        """What `MLmodel` says, or would say of a bare artifact; None when it is malformed."""
        if self.bare is not None:
            return self.bare.mlmodel
        return self._read(mlmodel.FILE_NAME, mlmodel.read)

    @cached_property
    def directory(self) -> ModelDirectory | None:
        """The model as the rest of envkit takes it; None when its `MLmodel` is malformed."""
        if self.bare is not None:
            return self.bare
        if self.mlmodel is None:
            return None
        return ModelDirectory(path=self.path, mlmodel=self.mlmodel)

    @cached_property
    def named_paths(self) -> tuple[tuple[str, str], ...]:
        """The fields of `MLmodel` that name a path, with their values."""
        if self.bare is not None or self.directory is None or self.mlmodel is None:
            return ()
        found = list(self.directory.named_paths())
        for name, flavor in self.mlmodel.flavors.items():
            for key in _PATH_KEYS:
                if isinstance(flavor, Mapping):
                    value = flavor.get(key)
                else:
                    value = None
                if isinstance(value, str):
                    found.append((f"flavors.{name}.{key}", value))
        return tuple(dict.fromkeys(found))

    def leads_out(self, value: str) -> bool:
        """Whether a path that a field names leaves the model, also by a symbolic link."""
        if value not in self._outside:
            self._outside[value] = self._is_outside(value)
        return self._outside[value]

    def _is_outside(self, value: str) -> bool:
        try:
            return Path(value).is_absolute() or not (self.path / value).resolve().is_relative_to(
                self.path
            )
        except (OSError, RuntimeError, ValueError):  # a circle of links, a NUL character
            return True

    @property
    def escapes(self) -> bool:
        """Whether any field of `MLmodel` leaves the model: then nothing more is read by its fields."""
        return any(self.leads_out(value) for _, value in self.named_paths)

    @cached_property
    def conda_name(self) -> str:
        """The file that `MLmodel` names for conda, else the usual one."""
        flavor = self.mlmodel.python_function if self.mlmodel else None
        return self._safe(flavor.conda_env if flavor else None, conda_yaml.FILE_NAME)

    @cached_property
    def python_env_name(self) -> str:
        """The file that `MLmodel` names for virtual environments, else the usual one."""
        flavor = self.mlmodel.python_function if self.mlmodel else None
        return self._safe(flavor.python_env if flavor else None, python_env_yaml.FILE_NAME)

    @cached_property
    def conda(self) -> CondaEnv | None:
        """`conda.yaml`."""
        return self._read(self.conda_name, conda_yaml.read)

    @cached_property
    def python_env(self) -> PythonEnv | None:
        """`python_env.yaml`."""
        return self._read(self.python_env_name, python_env_yaml.read)

    @cached_property
    def lock(self) -> PyLock | None:
        """`pylock.toml`."""
        return self._read(pylock_toml.FILE_NAME, pylock_toml.read)

    @cached_property
    def evidence(self) -> Evidence | None:
        """`envkit.json`."""
        content = self._read(envkit_json.FILE_NAME, envkit_json.read)
        try:
            if content is None:
                return None
            return Evidence.of(content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problem = f"is not what `envkit capture` writes ({type(error).__name__}: {error})"
            self._broken.append(Broken(file=envkit_json.FILE_NAME, field="", problem=problem))
            return None

    @cached_property
    def variables(self) -> tuple[str, ...] | None:
        """The names in `environment_variables.txt`; None when there is none, or one with more than names."""
        if self.variable_values:
            return None
        return self._read_variables()

    @cached_property
    def variable_values(self) -> tuple[int, ...]:
        """The lines of `environment_variables.txt` that hold more than a name."""
        try:
            lines = read_text(self.path / environment_variables_txt.FILE_NAME).splitlines()
        except InvalidFile:
            return ()
        return tuple(
            number
            for number, line in enumerate(lines, 1)
            if "=" in line and not line.lstrip().startswith("#")
        )

    def _read_variables(self) -> tuple[str, ...] | None:
        return self._read(environment_variables_txt.FILE_NAME, environment_variables_txt.read)

    @cached_property
    def requirement_files(self) -> RequirementFiles | None:
        """`requirements.txt` with all that it refers to."""
        path = self.path / requirements_txt.FILE_NAME
        is_there = os.path.lexists(path) and not self.leads_out(requirements_txt.FILE_NAME)
        if is_there:
            return read(path, self.path)
        return None

    @cached_property
    def conda_pip(self) -> RequirementFiles | None:
        """The pip section of `conda.yaml` with all that it refers to."""
        lines = self.conda.pip if self.conda is not None else None
        if lines is None:
            return None
        return self._lines_of(self.conda_name, lines)

    @cached_property
    def python_env_pip(self) -> RequirementFiles | None:
        """The dependencies of `python_env.yaml` with all that they refer to."""
        if self.python_env is not None:
            lines = self.python_env.dependencies
        else:
            lines = None
        if lines is None:
            return None
        return self._lines_of(self.python_env_name, lines)

    @property
    def all_requirements(self) -> Iterator[RequirementFiles]:
        """Those of each file; what one refers to is in each that does so."""
        yield from filter(None, (self.requirement_files, self.python_env_pip, self.conda_pip))

    @property
    def requirements(self) -> RequirementFiles:
        """What is installed: `requirements.txt`, else `python_env.yaml`, else the pip section of `conda.yaml`."""
        return next(self.all_requirements, RequirementFiles())

    @property
    def lines(self) -> tuple[Line, ...]:
        """Requirements and constraints of all files, each place once."""
        found = {
            (each.file, each.line, each.requirement.text): each
            for one in self.all_requirements
            for each in one.lines
        }
        return tuple(found.values())

    @cached_property
    def pythons(self) -> tuple[tuple[str, str, str], ...]:
        """What is said of the interpreter: file, field, version."""
        flavor = self.mlmodel.python_function if self.mlmodel else None
        found = [
            (self.python_env_name, "python", self.python_env.python if self.python_env else None),
            (self.conda_name, "dependencies", self._conda_python()),
            (
                mlmodel.FILE_NAME,
                "flavors.python_function.python_version",
                flavor.python_version if flavor else None,
            ),
            (
                envkit_json.FILE_NAME,
                "interpreter.version",
                self.evidence.python if self.evidence else None,
            ),
        ]
        return tuple((file, key, version) for file, key, version in found if version)

    @property
    def python(self) -> str | None:
        """The interpreter that environments are built with: the first of `pythons`."""
        if self.pythons:
            return self.pythons[0][2]
        return None

    def is_there(self, value: str) -> bool:
        """Whether a file or folder of the model is there, fetched or not."""
        name = value.removeprefix("./").rstrip("/")
        return (self.path / value).exists() or any(
            f"{each}/".startswith(f"{name}/") for each in self.elsewhere
        )

    def has(self, name: str) -> bool:
        """Whether a file of the model is there, and not behind a link that leads out."""
        return not self.leads_out(name) and (self.path / name).is_file()

    def line_of(self, file: str, text: str) -> int:
        """The first line of a file that holds a text; 0 when none does."""
        lines = self.text(file).splitlines()
        return next((number for number, line in enumerate(lines, 1) if text in line), 0)

    def place_of(self, name: str) -> tuple[str, int]:
        """File and line where a distribution is required or bounded; the lock where no line names it."""
        line = next((each for each in self.requirements.lines if each.name == name), None)
        if line is not None:
            return (line.file, line.line)
        return (pylock_toml.FILE_NAME if self.lock else "", 0)

    @property
    def requirements_name(self) -> str:
        """The file whose requirements are installed."""
        named = {
            id(self.requirement_files): requirements_txt.FILE_NAME,
            id(self.python_env_pip): self.python_env_name,
        }
        if self.requirements.lines:
            return named.get(id(self.requirements), self.conda_name)
        return ""

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the environment files with their text, those that are text, and those that they refer to."""
        usual = (
            mlmodel.FILE_NAME,
            self.conda_name,
            self.python_env_name,
            pylock_toml.FILE_NAME,
            envkit_json.FILE_NAME,
        )
        referred = (name for one in self.all_requirements for name in sorted(one.read))
        for name in dict.fromkeys(
            (requirements_txt.FILE_NAME, *referred, *usual, environment_variables_txt.FILE_NAME)
        ):
            if text := self.text(name):
                yield name, text

    def forget(self, name: str) -> None:
        """Read a file anew, which was changed."""
        self._texts.pop(name, None)

    def text(self, name: str) -> str:
        """The text of a file of the model; empty when there is none, or it is no text."""
        if name not in self._texts:
            try:
                if name == envkit_json.FILE_NAME:
                    most = envkit_json.MAX_BYTES
                else:
                    most = MAX_BYTES
                if self.has(name):
                    found = read_text(self.path / name, max_bytes=most)
                else:
                    found = ""
            except InvalidFile:
                found = ""
            self._texts[name] = found
        return self._texts[name]

    def _safe(self, name: str | None, usual: str) -> str:
        if name is None or self.leads_out(name):
            return usual
        return name

    def _read(self, name: str, reader: Callable[[Path], _T]) -> _T | None:
        """Read a file of the model; None when it is not there, or malformed, which is kept as a fact."""
        if self.leads_out(name) or not os.path.lexists(self.path / name):
            return None
        try:
            return reader(self.path / name)
        except InvalidFile as error:
            self._broken.append(broken(error, self.path))
        except PathOutsideModel as error:
            self._broken.append(
                Broken(
                    file=name, field=error.field, problem=f"'{error.value}' leads out of the model"
                )
            )
        return None

    def _conda_python(self) -> str | None:
        if self.conda is None:
            return None
        try:
            return conda_yaml.python_version(self.conda, self.path / self.conda_name)
        except InvalidFile as error:
            self._broken.append(broken(error, self.path))
            return None

    def _lines_of(self, name: str, lines: tuple[str, ...]) -> RequirementFiles:
        return read_lines(lines, self.path / name, self.path, self.text(name))
