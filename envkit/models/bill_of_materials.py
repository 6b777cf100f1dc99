"""The software bill of materials of a model: what its lock holds, else what its files pin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envkit.formats import cyclonedx_json, pylock_toml, requirements_txt
from envkit.formats.credentials import without_credentials
from envkit.formats.cyclonedx_json import Component, File
from envkit.formats.pylock_toml import LockedPackage
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec

_PIN = re.compile(r"[^=<>!~;@]+===?\s*([A-Za-z0-9._!+-]+)\s*(?:;.*)?")


def read_bill(model_uri: str | Path) -> str:
    """Give the bill of a model as CycloneDX in JSON.

    Raises what reading the model raises, and `ToolNotFound` without the library `cyclonedx`.
    """
    model = ModelDirectory.open(model_uri)
    spec = read_spec(model)
    asked = {requirements_txt.name_of(line) or _name_of_wheel(line) for line in spec.requirements}
    if spec.lock is not None:
        components = [_locked(each, asked) for each in pylock_toml.read(spec.lock).packages]
    else:
        components = list(_pinned(spec))
    return cyclonedx_json.dumps(model.path.name, components)


def _locked(package: LockedPackage, asked: set[str]) -> Component:
    files = [*package.get("wheels", ()), package.get("sdist"), package.get("archive")]
    vcs = package.get("vcs")
    return Component(
        name=package["name"],
        version=str(package.get("version", "")),
        files=tuple(_file(each) for each in files if each),
        vcs=without_credentials(f"{vcs['type']}+{vcs['url']}@{vcs['commit-id']}") if vcs else "",
        direct=package["name"] in asked,
    )


def _file(file: Mapping[str, Any]) -> File:
    return File(url=without_credentials(str(file.get("url") or file.get("path"))), hashes=file["hashes"])


def _name_of_wheel(line: str) -> str:
    """The name in the path of a wheel, as a requirement has it."""
    return re.sub(r"[-_.]+", "-", line.split()[0].rpartition("/")[2].partition("-")[0]).lower()


def _pinned(spec: EnvironmentSpec) -> Iterator[Component]:
    implied = {requirements_txt.name_of(line) for line in spec.constraints}
    for line in dict.fromkeys((*spec.requirements, *spec.constraints)):
        name = requirements_txt.name_of(line)
        if name is not None:
            found = _PIN.match(line)
            yield Component(name=name, version=found[1] if found else "", direct=name not in implied)
