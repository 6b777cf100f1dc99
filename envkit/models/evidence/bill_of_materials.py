"""The software bill of materials of a model: what its lock holds, else what its files pin."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats import cyclonedx_json, envkit_json, pylock_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.cyclonedx_json import Component, File, Sbom
from envkit.formats.pylock_toml import LockedPackage
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import ENVIRONMENT

_SBOM = re.compile(r"[^/]+\.dist-info/sboms/.*[^/]")


def read_bill(model_uri: str | Path) -> str:
    """Give the bill of a model as CycloneDX in JSON.

    Raises what reading the model raises, and `ToolNotFound` without the library `cyclonedx`.
    """
    model = ModelDirectory.open(model_uri, ENVIRONMENT)
    spec = read_spec(model)
    asked = {requirement.distribution for requirement in spec.requirements}
    if spec.lock is not None:
        packages = pylock_toml.read(spec.lock).packages
        components = [
            replace(_locked(each, asked), sboms=tuple(_in_wheel(each, model.path)))
            for each in packages
        ]
    else:
        components = list(_pinned(spec))
    noted = dict(_noted(model))
    return cyclonedx_json.dumps(
        model.path.name,
        [
            replace(each, sboms=each.sboms or noted.get((each.name, each.version), ()))
            for each in components
        ],
    )


def _noted(model: ModelDirectory) -> Iterator[tuple[tuple[str, str], tuple[Sbom, ...]]]:
    """The bills of what was installed where the model was captured, by name and version, from the evidence."""
    path = model.file(envkit_json.FILE_NAME)
    evidence = envkit_json.read(path) if path is not None else {}
    try:
        listed = [
            (str(each["distribution"]), str(each["version"]), _sbom(each))
            for each in evidence.get("sboms", ())
        ]
    except (TypeError, KeyError) as error:
        raise InvalidFile(
            model.path / envkit_json.FILE_NAME, "sboms", "is not what `envkit capture` writes"
        ) from error
    for name, version in dict.fromkeys((name, version) for name, version, _ in listed):
        yield (name, version), tuple(sbom for *key, sbom in listed if key == [name, version])


def _sbom(entry: Mapping[str, Any]) -> Sbom:
    return Sbom(path=str(entry["path"]), sha256=str(entry["sha256"]), document=entry["document"])


def _in_wheel(package: LockedPackage, directory: Path) -> Iterator[Sbom]:
    """The bills in a wheel that the model takes along."""
    for file in (*package.get("wheels", ()), package.get("archive", {})):
        path = directory / str(file.get("path", ""))
        if path.suffix != ".whl" or not zipfile.is_zipfile(path):
            continue
        with zipfile.ZipFile(path) as wheel:
            for name in sorted(wheel.namelist()):
                if _SBOM.fullmatch(name):
                    content = wheel.read(name)
                    yield Sbom(
                        path=name,
                        sha256=hashlib.sha256(content).hexdigest(),
                        document=_text(content),
                    )


def _text(content: bytes) -> str | None:
    try:
        if content.lstrip().startswith(b"{"):
            return content.decode()
        return None
    except UnicodeDecodeError:
        return None


def _locked(package: LockedPackage, asked: set[str | None]) -> Component:
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
    return File(
        url=without_credentials(str(file.get("url") or file.get("path"))), hashes=file["hashes"]
    )


def _pinned(spec: EnvironmentSpec) -> Iterator[Component]:
    implied = {constraint.name for constraint in spec.constraints}
    stated = (*spec.requirements, *spec.constraints)
    for requirement in {str(requirement): requirement for requirement in stated}.values():
        name = requirement.name
        if name is not None:
            yield Component(
                name=name, version=requirement.version or "", direct=name not in implied
            )
