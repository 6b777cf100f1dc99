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
from envkit.formats import cyclonedx_json, envkit_json, pylock
from envkit.formats.credentials import without_credentials
from envkit.formats.cyclonedx_json import Component, File, Sbom
from envkit.formats.pylock import Package
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import ENVIRONMENT

_SBOM = re.compile(r"[^/]+\.dist-info/sboms/.*[^/]")


def read_bill(model_uri: str | Path) -> str:
    """Give the bill of materials of a model.

    Args:
        model_uri: The model; of a remote one only the small files that describe it are fetched.

    Returns:
        A CycloneDX document in JSON.

    Raises:
        ModelNotFound: There is no model.
        InvalidFile: A file of the model cannot be parsed.
        ToolNotFound: The library `cyclonedx` is not installed.
    """
    model = ModelDirectory.open(model_uri, ENVIRONMENT)
    spec = read_spec(model)
    if spec.lock is None:
        components = list(_pinned(spec))
    else:
        components = [_locked(package, spec) for package in spec.lock.lock.packages]
    recorded = _recorded_sboms(model)
    return cyclonedx_json.dumps(
        model.path.name, [_with_sboms(component, recorded) for component in components]
    )


def _with_sboms(
    component: Component, recorded: Mapping[tuple[str, str], tuple[Sbom, ...]]
) -> Component:
    """Add the SBOMs that the evidence has, unless the wheel in the model has some itself."""
    if component.sboms:
        return component
    return replace(component, sboms=recorded.get((component.name, component.version), ()))


def _recorded_sboms(model: ModelDirectory) -> dict[tuple[str, str], tuple[Sbom, ...]]:
    """SBOMs of the distributions installed at capture, by name and version, from the evidence."""
    path = model.file(envkit_json.FILE_NAME)
    if path is None:
        return {}
    recorded: dict[tuple[str, str], tuple[Sbom, ...]] = {}
    try:
        for entry in envkit_json.read(path).get("sboms", ()):
            key = (str(entry["distribution"]), str(entry["version"]))
            recorded[key] = (*recorded.get(key, ()), _sbom(entry))
    except (TypeError, KeyError) as error:
        raise InvalidFile(path, "sboms", "is not what `envkit capture` writes") from error
    return recorded


def _sbom(entry: Mapping[str, Any]) -> Sbom:
    return Sbom(path=str(entry["path"]), sha256=str(entry["sha256"]), document=entry["document"])


def _sboms_in_wheels(package: Package, directory: Path) -> Iterator[Sbom]:
    """The SBOMs in the wheels of a package that the model contains."""
    for file in pylock.files_of(package):
        path = directory / (file.path or "")
        if path.suffix != ".whl" or not zipfile.is_zipfile(path):
            continue
        with zipfile.ZipFile(path) as wheel:
            for name in sorted(wheel.namelist()):
                if _SBOM.fullmatch(name):
                    content = wheel.read(name)
                    digest = hashlib.sha256(content).hexdigest()
                    yield Sbom(path=name, sha256=digest, document=_json_text(content))


def _json_text(content: bytes) -> str | None:
    """The text of a JSON document; None for another format."""
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _locked(package: Package, spec: EnvironmentSpec) -> Component:
    files = [
        File(url=without_credentials(str(file.url or file.path)), hashes=file.hashes)
        for file in pylock.files_of(package)
    ]
    vcs = package.vcs
    address = "" if vcs is None else f"{vcs.type}+{vcs.url}@{vcs.commit_id}"
    return Component(
        name=package.name,
        version="" if package.version is None else str(package.version),
        files=tuple(files),
        vcs=without_credentials(address),
        direct=any(requirement.distribution == package.name for requirement in spec.requirements),
        sboms=tuple(_sboms_in_wheels(package, spec.directory)),
    )


def _pinned(spec: EnvironmentSpec) -> Iterator[Component]:
    """What requirements and constraints pin."""
    implied = {constraint.name for constraint in spec.constraints}
    stated = (*spec.requirements, *spec.constraints)
    for requirement in {str(requirement): requirement for requirement in stated}.values():
        name = requirement.name
        if name is not None:
            yield Component(
                name=name, version=requirement.version or "", direct=name not in implied
            )
