"""The files that a capture writes, all of them or none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.capturing import local_code
from envkit.capturing.output_folder import OutputFolder
from envkit.capturing.packagers import DEFAULT_CHANNEL, CondaNeeds
from envkit.errors import InvalidInput
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
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec

REQUIREMENTS = requirements_txt.FILE_NAME
CONSTRAINTS = requirements_txt.CONSTRAINTS_FILE_NAME
ENVIRONMENT_NAME = "envkit-env"
BUILD_TOOLS = ("pip", "setuptools", "wheel")
WHEEL = re.compile(rf"{local_wheels.FOLDER}/[\w.+!-]+\.whl")


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
        files |= _mlmodel(model, has_code=bool(content.code))
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


def _mlmodel(model: ModelDirectory, *, has_code: bool) -> dict[str, str]:
    """`MLmodel`, if it must be changed so that its readers find the files that are written here."""
    flavor = model.python_function
    fields: dict[str, str] = {}
    if has_code and flavor.code is None:
        fields["code"] = local_code.FOLDER
    names_env = flavor.conda_env == conda_yaml.FILE_NAME and flavor.python_env in (
        None,
        python_env_yaml.FILE_NAME,
    )
    if names_env and not fields:
        return {}
    env = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
    changed = model.mlmodel.with_python_function(env=env, **fields)
    return {mlmodel.FILE_NAME: mlmodel.dumps(changed)}
