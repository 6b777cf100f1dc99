"""The files that a capture writes, all of them or none, and the folder that they go to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envkit.capturing import local_code
from envkit.capturing.packagers import DEFAULT_CHANNEL, CondaNeeds
from envkit.errors import InvalidArgument, InvalidInput
from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    file_set,
    mlmodel,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.requirement import Requirement
from envkit.locking import local_wheels
from envkit.locking.local_wheels import LocalWheel
from envkit.models.bare_artifact import captured_artifact
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec

REQUIREMENTS = requirements_txt.FILE_NAME
CONSTRAINTS = requirements_txt.CONSTRAINTS_FILE_NAME
ENVIRONMENT_NAME = "envkit-env"
BUILD_TOOLS = ("pip", "setuptools", "wheel")
WHEEL = re.compile(rf"{local_wheels.FOLDER}/[\w.+!-]+\.whl")
OTHER_FOLDER = "Name a folder for the files and a copy of the model with `--output-path DIR`."

FILE_NAMES = (
    requirements_txt.FILE_NAME,
    requirements_txt.CONSTRAINTS_FILE_NAME,
    conda_yaml.FILE_NAME,
    python_env_yaml.FILE_NAME,
    environment_variables_txt.FILE_NAME,
    pylock_toml.FILE_NAME,
)
"""Files of a capture that others may have written too; `envkit.json` is envkit's alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFolder:
    """Where to write. copies: files of the model to copy there, by their name in it."""

    path: Path
    copies: Mapping[str, Path] = field(default_factory=dict)

    def write(self, files: Mapping[str, file_set.Content | None]) -> None:
        """Write all files or none; a folder that was created for them is removed if that fails."""
        is_new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file_set.write_files(self.path, {**self.copies, **files})
        except OSError as error:
            problem = error.strerror or error
            raise InvalidArgument(f"{self.path} cannot be written to: {problem}.") from error
        finally:
            if is_new:
                with suppress(OSError):  # it is not empty: all went well
                    self.path.rmdir()


def choose_folder(model: ModelDirectory, output_path: str | Path | None) -> OutputFolder:
    """Decide where to write. Only in a directory with `MLmodel` may files of others be replaced.

    Raises `InvalidArgument` for a folder that is a file, or has files that no capture wrote.
    """
    if output_path is None:
        folder = model.path
    else:
        folder = Path(output_path).expanduser().resolve()
    if folder == model.path:
        if model.artifact is not None:
            _check_replaceable(folder, model.artifact)
        return OutputFolder(path=folder)
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"{folder} is a file. {OTHER_FOLDER}")
    if folder.is_relative_to(model.path) and model.artifact is None:
        raise InvalidArgument(f"{folder} is inside the model. Name a folder outside of it.")
    is_used = folder.exists() and any(folder.iterdir())
    has_capture = (folder / envkit_json.FILE_NAME).is_file()
    if is_used and not has_capture:
        raise InvalidArgument(
            f"{folder} is not empty and has no earlier capture. Name another folder."
        )
    return OutputFolder(path=folder, copies=dict(_copies(model)))


def _check_replaceable(folder: Path, artifact: str) -> None:
    """Raise if the folder of a bare artifact has files that no capture of it wrote."""
    present = [name for name in FILE_NAMES if (folder / name).exists()]
    if present and captured_artifact(folder) != artifact:
        raise InvalidArgument(
            f"{folder} has files that no capture of {artifact} wrote ({', '.join(present)}) and "
            f"that would be replaced. {OTHER_FOLDER}"
        )


def _copies(model: ModelDirectory) -> Iterator[tuple[str, Path]]:
    for place in model.own_places:
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(model.path).as_posix(), file


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the files say.

    Attributes:
        spec: The environment.
        wheels: Wheels for the model.
        code: By target in the model directory, modules to copy.
        evidence: The content of `envkit.json`.
        conda: What conda installed.
        conda_env: The text of `conda.yaml`, if the author stated one.
    """

    spec: EnvironmentSpec
    wheels: tuple[LocalWheel, ...]
    code: Mapping[str, Path]
    evidence: Mapping[str, Any]
    conda: CondaNeeds | None = None
    conda_env: str | None = None


def write(
    model: ModelDirectory,
    content: Content,
    target: OutputFolder,
) -> tuple[str, ...]:
    """Write the files and return their names. A lock of an earlier capture is removed."""
    spec = content.spec
    files: dict[str, file_set.Content | None] = dict.fromkeys(_earlier_wheels(model))
    files |= {wheel.path: wheel.file for wheel in content.wheels}
    files |= content.code
    files |= {
        REQUIREMENTS: requirements_txt.dumps(
            spec.requirements, constraints_file=CONSTRAINTS, options=spec.options
        ),
        CONSTRAINTS: requirements_txt.dumps(spec.constraints),
        conda_yaml.FILE_NAME: content.conda_env or conda_yaml.dumps(_with_pip_section(content)),
        python_env_yaml.FILE_NAME: python_env_yaml.dumps(_python_env(spec)),
        environment_variables_txt.FILE_NAME: environment_variables_txt.dumps(spec.variables),
        pylock_toml.FILE_NAME: spec.lock.raw if spec.lock is not None else None,
        envkit_json.FILE_NAME: envkit_json.dumps(content.evidence),
    }
    if model.artifact is None:
        files |= _mlmodel(model, spec.variables, has_code=bool(content.code))
    target.write(files)
    return tuple(sorted(name for name, text in files.items() if text is not None))


def _earlier_wheels(model: ModelDirectory) -> Iterator[str]:
    """Yield the wheels that an earlier capture wrote; those that others put there stay."""
    path = model.file(envkit_json.FILE_NAME)
    if path is None:
        return
    try:
        evidence = envkit_json.read(path)
    except InvalidInput:  # it is about to be replaced
        return
    for distribution in evidence.get("distributions", ()):
        wheel = distribution.get("wheel") or {}
        name = str(wheel.get("path", ""))
        if WHEEL.fullmatch(name) and _has_digest(model.path / name, wheel.get("sha256")):
            yield name


def _has_digest(file: Path, sha256: object) -> bool:
    if not file.is_file():
        return False
    return hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def conda_env(
    python: str,
    tools: Mapping[str, str | None],
    conda: CondaNeeds | None,
) -> CondaEnv:
    """Return Python, pip and what conda installed, without the pip section.

    tools: versions of pip, setuptools and wheel, None for one that is not installed.
    """
    packages = conda.specs if conda else ()
    channels = conda.channels if conda else (DEFAULT_CHANNEL,)
    pip_version = tools.get("pip")
    if "pip" in map(conda_yaml.name_of, packages):
        pip: tuple[str, ...] = ()
    elif pip_version:
        pip = (f"pip<={pip_version}",)
    else:
        pip = ("pip",)
    return CondaEnv(
        name=ENVIRONMENT_NAME,
        channels=channels,
        dependencies=(f"python={python}", *pip, *packages),
    )


def _with_pip_section(content: Content) -> CondaEnv:
    """Add what pip installs: what conda did not install, within the constraints of everything."""
    spec, conda = content.spec, content.conda
    of_conda = conda.distributions if conda else frozenset()
    of_pip = [str(line) for line in spec.requirements if line.name not in of_conda]
    options = map(str, spec.options)
    pip: tuple[str, ...] | None = (*options, *of_pip, f"-c {CONSTRAINTS}")
    if conda and conda.specs and not of_pip:
        pip = None
    return CondaEnv(
        name=ENVIRONMENT_NAME,
        channels=spec.conda_channels,
        dependencies=spec.conda_specs,
        pip=pip,
    )


def build_tools(versions: Mapping[str, str | None]) -> tuple[Requirement, ...]:
    """Return pip, setuptools and wheel as requirements, pinned if they are installed."""
    pins = []
    for name in BUILD_TOOLS:
        version = versions.get(name)
        text = f"{name}=={version}" if version else name
        pins.append(Requirement(text=text))
    return tuple(pins)


def _python_env(spec: EnvironmentSpec) -> PythonEnv:
    return PythonEnv(
        python=spec.python,
        build_dependencies=tuple(map(str, spec.build_dependencies)),
        dependencies=(f"-r {REQUIREMENTS}",),
    )


def _mlmodel(model: ModelDirectory, variables: Sequence[str], *, has_code: bool) -> dict[str, str]:
    """`MLmodel`, if it must be changed so that its readers find the files that are written here."""
    flavor = model.python_function
    fields: dict[str, str] = {}
    if has_code and flavor.code is None:
        fields["code"] = local_code.FOLDER
    names_env = flavor.conda_env == conda_yaml.FILE_NAME and flavor.python_env in (
        None,
        python_env_yaml.FILE_NAME,
    )
    names_variables = set(variables) <= set(model.mlmodel.variables)
    if names_env and names_variables and not fields:
        return {}
    env = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
    changed = model.mlmodel.with_python_function(env=env, **fields)
    if not names_variables:
        names = sorted({*variables, *model.mlmodel.variables})
        changed = changed.with_fields(env_vars=names)
    return {mlmodel.FILE_NAME: mlmodel.dumps(changed)}
