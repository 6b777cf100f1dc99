"""The facts of one model: what follows from its files together. Nothing here knows a stage."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from envkit.analysis import flavors
from envkit.errors import InvalidFile
from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    mlmodel,
    pylock_toml,
    requirements_txt,
)
from envkit.formats.pylock import Package
from envkit.formats.requirement_lines import Option
from envkit.models.directory import ModelDirectory
from envkit.validating.files import well_known_requirements
from envkit.validating.files.evidence import CapturedDistribution
from envkit.validating.files.model_files import ModelFiles
from envkit.validating.files.requirement_files import Line, RequirementFiles
from envkit.validating.finding import Location

# of flavors other than `python_function`
_PATH_KEYS = ("code", "data", "model_path", "pickled_model")
# conda's names of distributions that PyPI names otherwise
_CONDA_NAMES = {
    "pytorch": "torch",
    "tensorflow-base": "tensorflow",
    "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
}


def today() -> date:
    """The day of `SOURCE_DATE_EPOCH`, else today (UTC)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdecimal():
        return datetime.fromtimestamp(int(epoch), UTC).date()
    return datetime.now(UTC).date()


class ModelFacts(ModelFiles):
    """One model: its files, and what follows from several of them.

    day: compared with the end of life of a Python.
    environ: in which required environment variables are looked up. The rest is as of `ModelFiles`.
    """

    def __init__(
        self,
        path: Path,
        *,
        bare: ModelDirectory | None = None,
        not_fetched: Mapping[str, int | None] | None = None,
        day: date | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`path` is a directory with an `MLmodel`, valid or not, or that of a `bare` artifact."""
        super().__init__(path, bare=bare, not_fetched=not_fetched)
        self.day = day or today()
        self.environ = os.environ if environ is None else environ

    @cached_property
    def named_paths(self) -> tuple[tuple[str, str], ...]:
        """The fields of `MLmodel` that name a path, with their values."""
        if self.bare is not None or self.directory is None or self.mlmodel is None:
            return ()
        paths = list(self.directory.named_paths())
        for name, flavor in self.mlmodel.flavors.items():
            for key in _PATH_KEYS:
                value = as_object(flavor).get(key)
                if isinstance(value, str):
                    paths.append((f"flavors.{name}.{key}", value))
        return tuple(dict.fromkeys(paths))

    def usable_directory(self) -> ModelDirectory:
        """Give the model, if its fields can be followed.

        Raises `InvalidFile` when `MLmodel` is malformed or one of its fields leaves the model.
        """
        is_safe = not any(self.leads_out(value) for _, value in self.named_paths)
        if self.directory is not None and is_safe:
            return self.directory
        raise InvalidFile(
            self.path / mlmodel.FILE_NAME, "", "is malformed or leads out of the model"
        )

    @property
    def runs_in_r(self) -> bool:
        """Whether R runs the model: envkit records nothing of R."""
        return self.mlmodel is not None and self.mlmodel.runs_in_r

    @property
    def all_requirements(self) -> Iterator[RequirementFiles]:
        """The requirements of each file that has some; what a file refers to belongs to it."""
        yield from filter(None, (self.requirement_files, self.python_env_pip, self.conda_pip))

    @property
    def requirements(self) -> RequirementFiles:
        """What is installed: `requirements.txt`, else `python_env.yaml`, else `conda.yaml`."""
        return next(self.all_requirements, RequirementFiles())

    @property
    def requirements_name(self) -> str:
        """The file whose requirements are installed; empty when there are none."""
        if not self.requirements.lines:
            return ""
        if self.requirement_files is not None:
            return requirements_txt.FILE_NAME
        if self.python_env_pip is not None:
            return self.python_env_name
        return self.conda_name

    @property
    def lines(self) -> tuple[Line, ...]:
        """Requirements and constraints of all files, each place once."""
        lines: dict[tuple[str, int, str], Line] = {}
        for files in self.all_requirements:
            for line in files.lines:
                lines[line.file, line.requirement.line, line.requirement.text] = line
        return tuple(lines.values())

    @property
    def installer_options(self) -> list[tuple[Location, Option]]:
        """The installer options of all files, each once, in the order of their places."""
        options = {
            (file, option) for files in self.all_requirements for file, option in files.options
        }
        ordered = sorted(options, key=lambda pair: (pair[0], pair[1].line, str(pair[1])))
        return [(Location(file, option.line), option) for file, option in ordered]

    @property
    def locked_packages(self) -> Sequence[Package]:
        """The packages of `pylock.toml`; none without one."""
        if self.lock is None:
            return ()
        return self.lock.packages

    @cached_property
    def locked(self) -> Mapping[str, list[Package]]:
        """The packages of `pylock.toml` by normalized name."""
        packages: dict[str, list[Package]] = {}
        for package in self.locked_packages:
            packages.setdefault(package.name, []).append(package)
        return packages

    @property
    def conda_packages(self) -> tuple[str, ...]:
        """What `conda.yaml` installs besides Python and pip, as match specs."""
        if self.conda is None:
            return ()
        return self.conda.packages

    @cached_property
    def declared(self) -> frozenset[str]:
        """The normalized names in requirements, constraints, the lock and `conda.yaml`."""
        in_lines = {line.name for line in self.lines if line.name is not None}
        return frozenset(in_lines.union(self.locked, map(distribution_of, self.conda_packages)))

    @cached_property
    def expected(self) -> frozenset[str]:
        """The names that are declared, or known to be required by what is.

        A lock lists all that is installed, so it needs no such knowledge.
        """
        if self.locked:
            return self.declared
        return self.declared | well_known_requirements.of(self.declared)

    @property
    def captured_distributions(self) -> tuple[CapturedDistribution, ...]:
        """All distributions of the evidence, optional ones too."""
        if self.evidence is None:
            return ()
        return self.evidence.distributions

    @cached_property
    def captured(self) -> Mapping[str, CapturedDistribution]:
        """The distributions that the capture put into the environment, by normalized name."""
        if self.evidence is None:
            return {}
        return {canonicalize_name(each.name): each for each in self.evidence.installed}

    @property
    def known_variables(self) -> frozenset[str]:
        """The environment variables that `MLmodel` or the evidence names."""
        names: set[str] = set()
        if self.mlmodel is not None:
            names.update(self.mlmodel.variables)
        if self.evidence is not None:
            names.update(self.evidence.variables)
        return frozenset(names)

    @cached_property
    def recorded_versions(self) -> Mapping[str, str]:
        """The versions that `MLmodel` records, by normalized name of the distribution."""
        if self.directory is None:
            return {}
        versions = flavors.read(self.directory).versions
        return {canonicalize_name(name): version for name, version in versions.items()}

    @cached_property
    def pythons(self) -> tuple[tuple[Location, str], ...]:
        """The versions of the interpreter that the files name, with their places."""
        in_python_env = self.python_env.python if self.python_env else None
        in_mlmodel = self.flavor.python_version if self.flavor else None
        in_evidence = self.evidence.python if self.evidence else None
        named = (
            (self.python_env_name, "python", in_python_env),
            (self.conda_name, "dependencies", self.conda_python),
            (mlmodel.FILE_NAME, "flavors.python_function.python_version", in_mlmodel),
            (envkit_json.FILE_NAME, "interpreter.version", in_evidence),
        )
        return tuple(
            (Location(file, field=field), version) for file, field, version in named if version
        )

    @property
    def python(self) -> str | None:
        """The interpreter that environments are built with: the first of `pythons`."""
        if self.pythons:
            return self.pythons[0][1]
        return None

    def location_of(self, name: str) -> Location:
        """Where a distribution is required or constrained; the lock where no line names it."""
        for line in self.requirements.lines:
            if line.name == name:
                return line.location
        return Location(pylock_toml.FILE_NAME if self.lock else "")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the environment files and those that they refer to, with their text."""
        names = [requirements_txt.FILE_NAME]
        for files in self.all_requirements:
            names += sorted(files.read)
        names += [
            mlmodel.FILE_NAME,
            self.conda_name,
            self.python_env_name,
            pylock_toml.FILE_NAME,
            envkit_json.FILE_NAME,
            environment_variables_txt.FILE_NAME,
        ]
        for name in dict.fromkeys(names):
            if text := self.text(name):
                yield name, text


def distribution_of(spec: str) -> str:
    """Give the normalized name of the distribution that a conda match spec installs."""
    name = conda_yaml.name_of(spec)
    return canonicalize_name(_CONDA_NAMES.get(name, name))


def as_object(content: Any) -> Mapping[str, Any]:
    """Give a JSON object; an empty one in place of anything else."""
    if isinstance(content, Mapping):
        return content
    return {}
