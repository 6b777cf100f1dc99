"""The files that a capture writes into the model directory, all of them or none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.capturing import local_code
from envkit.capturing.output import Output
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the files say.

    lock: the text of `pylock.toml`. conda: what conda brought, if it did. conda_env: the text of
    `conda.yaml`, where the author wrote one.
    """

    spec: EnvironmentSpec
    lock: str | None
    wheels: tuple[LocalWheel, ...]
    code: Mapping[str, Path]
    evidence: Mapping[str, Any]
    conda: CondaNeeds | None = None
    conda_env: str | None = None


def write(model: ModelDirectory, content: Content, target: Output) -> tuple[str, ...]:
    """Write the files and give their names; a lock that does not hold any more is removed."""
    spec = content.spec
    texts: dict[str, file_set.Content | None] = {
        **dict.fromkeys(_earlier_wheels(model)),
        **{each.path: each.file for each in content.wheels},
        **content.code,
        REQUIREMENTS: requirements_txt.dumps(
            spec.requirements, constraints_file=CONSTRAINTS, options=spec.options
        ),
        CONSTRAINTS: requirements_txt.dumps(spec.constraints),
        conda_yaml.FILE_NAME: content.conda_env or conda_yaml.dumps(_with_pip_section(content)),
        python_env_yaml.FILE_NAME: python_env_yaml.dumps(_python_env(spec)),
        environment_variables_txt.FILE_NAME: environment_variables_txt.dumps(spec.variables),
        pylock_toml.FILE_NAME: content.lock,
        envkit_json.FILE_NAME: envkit_json.dumps(content.evidence),
    }
    lacks_code = bool(content.code) and model.python_function.code is None
    if model.artifact is None and (lacks_code or not _names_the_files(model)):
        texts[mlmodel.FILE_NAME] = _mlmodel(
            model, {"code": local_code.FOLDER} if lacks_code else {}
        )
    target.write(texts)
    return tuple(sorted(name for name, text in texts.items() if text is not None))


def _earlier_wheels(model: ModelDirectory) -> Iterator[str]:
    """The wheels that the last capture brought; those that someone else put there stay."""
    path = model.file(envkit_json.FILE_NAME)
    try:
        evidence = envkit_json.read(path) if path is not None else {}
    except InvalidInput:  # it is about to be replaced
        return
    for each in evidence.get("distributions", ()):
        wheel = each.get("wheel") or {}
        name = str(wheel.get("path", ""))
        if re.fullmatch(rf"{local_wheels.FOLDER}/[\w.+!-]+\.whl", name):
            file = model.path / name
            if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == wheel.get(
                "sha256"
            ):
                yield name


def conda_env(python: str, tools: Mapping[str, str | None], conda: CondaNeeds | None) -> CondaEnv:
    """Give Python, pip and what conda brought, without the pip section.

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
    """What conda brought stays conda's; the rest is pip's, within the constraints of the whole."""
    spec, conda = content.spec, content.conda
    of_conda = conda.distributions if conda else frozenset()
    of_pip = [str(each) for each in spec.requirements if each.name not in of_conda]
    pip: tuple[str, ...] | None = (*map(str, spec.options), *of_pip, f"-c {CONSTRAINTS}")
    if conda and conda.specs and not of_pip:
        pip = None
    return CondaEnv(
        name=ENVIRONMENT_NAME,
        channels=spec.conda_channels,
        dependencies=spec.conda_specs,
        pip=pip,
    )


def build_tools(versions: Mapping[str, str | None]) -> tuple[Requirement, ...]:
    """Give pip, setuptools and wheel as requirements, pinned where they are installed."""
    pins = []
    for name in BUILD_TOOLS:
        version = versions.get(name)
        pins.append(Requirement(text=f"{name}=={version}" if version else name))
    return tuple(pins)


def _python_env(spec: EnvironmentSpec) -> PythonEnv:
    return PythonEnv(
        python=spec.python,
        build_dependencies=tuple(map(str, spec.build_dependencies)),
        dependencies=(f"-r {REQUIREMENTS}",),
    )


def _names_the_files(model: ModelDirectory) -> bool:
    """Whether whoever follows `MLmodel` finds the files that are written here."""
    flavor = model.python_function
    return flavor.conda_env == conda_yaml.FILE_NAME and flavor.python_env in (
        None,
        python_env_yaml.FILE_NAME,
    )


def _mlmodel(model: ModelDirectory, fields: Mapping[str, str]) -> str:
    env = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
    return mlmodel.dumps(model.mlmodel.with_python_function(env=env, **fields))
