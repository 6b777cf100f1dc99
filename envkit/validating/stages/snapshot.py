"""What an environment holds, as itself, a model, a capture, a lock or requirements say it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from envkit.errors import InvalidFile, InvalidInput, NotAnInterpreter
from envkit.formats import conda_yaml, envkit_json, mlmodel, pylock, pylock_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import Package as LockedPackage
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.interpreters.program import find_program, is_command
from envkit.models.directory import ModelDirectory
from envkit.models.uris.fetch import is_elsewhere
from envkit.models.uris.required_files import ENVIRONMENT
from envkit.validating.files import requirement_files
from envkit.validating.files.evidence import CapturedDistribution, Evidence
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line, RequirementFiles

CURRENT = "current"
INDEX = "index"
_SIGNS_OF_AN_ENVIRONMENT = ("pyvenv.cfg", "conda-meta", "bin/python", "python.exe")


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One distribution.

    version, origin: None where unknown.
    origin: `index`, or a URL without credentials.
    required: the line that requires or constrains it, without credentials.
    files: file name → SHA-256, of what may be installed.
    """

    name: str
    version: str | None = None
    origin: str | None = None
    required: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One side of a comparison.

    source: `model`, `capture`, `lock`, `requirements`, `conda` or `environment`.
    """

    source: str
    packages: Mapping[str, Package]
    python: str | None = None
    platform: str | None = None


def take(place: str | Path) -> Snapshot:
    """Look at what a path, URI or command names; `current` is the interpreter that runs envkit.

    It may be a model, `envkit.json` or its folder, a `pylock.toml`, a requirements file, a
    `conda.yaml`, an interpreter, its command, or the folder of an environment. Nothing of a model
    is run; an interpreter is started to say what it is.

    Raises `InvalidInput` for anything else, `InvalidFile` for a malformed file, `NotAnInterpreter`.
    """
    if str(place) == CURRENT:
        return _of_environment(Path(sys.executable))
    path = Path(place).expanduser()
    is_uri = str(place).startswith("file:") or is_elsewhere(place)
    if is_uri or (path / mlmodel.FILE_NAME).is_file():
        return _of_model(ModelDirectory.open(place, ENVIRONMENT))
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path)
    return _of_environment(_command(place))


def _command(name: str | Path) -> Path:
    """Find an interpreter on the PATH, such as `python3.12`."""
    if not is_command(name):
        raise InvalidInput(f"There is nothing at {name} to compare.")
    try:
        return find_program(name)
    except NotAnInterpreter:
        raise InvalidInput(f"There is nothing at {name} to compare.") from None


def _of_folder(path: Path) -> Snapshot:
    if (path / envkit_json.FILE_NAME).is_file():
        return _of_evidence(path / envkit_json.FILE_NAME)
    if any((path / name).exists() for name in _SIGNS_OF_AN_ENVIRONMENT):
        return _of_environment(path)
    if (path / pylock_toml.FILE_NAME).is_file():
        return _of_lock(path / pylock_toml.FILE_NAME)
    raise InvalidInput(
        f"{path} is neither a model, nor a capture (envkit.json), nor an environment."
    )


def _of_file(path: Path) -> Snapshot:
    name = path.name.lower()
    if name.endswith(".json"):
        return _of_evidence(path)
    if name.endswith(".toml"):
        return _of_lock(path)
    if name.endswith((".yaml", ".yml")):
        return _of_conda(path)
    if name.endswith((".txt", ".in")):
        return _of_requirements(path)
    if os.access(path, os.X_OK):
        return _of_environment(path)
    raise InvalidInput(
        f"{path} is not a file that can be compared: name a model, a lock or an interpreter."
    )


def _of_model(model: ModelDirectory) -> Snapshot:
    """What would be built: requirements and lock; the evidence says where packages came from."""
    facts = ModelFacts(model.path)
    if facts.broken:
        raise facts.broken[0].error(model.path)
    packages = _required_packages(facts.requirements) | _conda_packages(facts.conda_packages)
    for locked in facts.locked_packages:
        package = _locked_package(locked)
        if package.name in packages:
            package = replace(package, required=packages[package.name].required)
        packages[package.name] = package
    for name, captured in facts.captured.items():
        if name not in packages:
            continue
        package = packages[name]
        # the files of the model count before the evidence
        if package.version not in (None, captured.version):
            continue
        if package.origin in (None, INDEX):
            packages[name] = replace(package, version=captured.version, origin=_origin(captured))
    platform = facts.evidence.platform if facts.evidence else None
    return Snapshot(
        source="model", packages=packages, python=facts.python, platform=platform or None
    )


def _of_evidence(path: Path) -> Snapshot:
    try:
        evidence = Evidence.parse(envkit_json.read(path))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidFile(path, "", "was not written by `envkit capture`") from error
    packages: dict[str, Package] = {}
    for captured in evidence.installed:
        name = canonicalize_name(captured.name)
        packages[name] = Package(
            name=name,
            version=captured.version or None,
            origin=_origin(captured),
            files=_wheel_hashes(captured),
        )
    return Snapshot(
        source="capture",
        packages=packages,
        python=evidence.python,
        platform=evidence.platform or None,
    )


def _of_lock(path: Path) -> Snapshot:
    packages = [_locked_package(locked) for locked in pylock_toml.read(path).packages]
    return Snapshot(source="lock", packages={package.name: package for package in packages})


def _of_conda(path: Path) -> Snapshot:
    env = conda_yaml.read(path)
    absolute = path.resolve()
    lines = requirement_files.read_lines(env.pip or (), absolute, absolute.parent)
    packages = _required_packages(lines) | _conda_packages(env.packages)
    return Snapshot(source="conda", packages=packages, python=conda_yaml.python_version(env, path))


def _of_requirements(path: Path) -> Snapshot:
    absolute = path.resolve()
    files = requirement_files.read(absolute, Path(absolute.anchor))
    if files.broken:
        first = files.broken[0]
        raise InvalidFile(path, first.field, first.problem, first.hint)
    return Snapshot(source="requirements", packages=_required_packages(files))


def _of_environment(python: Path) -> Snapshot:
    interpreter = describe(python)
    packages = [_installed_package(each) for each in InstalledDistributions(interpreter.sys_path)]
    return Snapshot(
        source="environment",
        packages={package.name: package for package in packages},
        python=interpreter.version,
        platform=interpreter.platform,
    )


def _required_packages(files: RequirementFiles) -> dict[str, Package]:
    """Requirements and constraints; a pinned line counts before one that is not."""
    packages: dict[str, Package] = {}
    for line in sorted(files.lines, key=lambda line: line.version is not None):
        if line.name is not None:
            packages[line.name] = _required_package(line.name, line)
    return packages


def _required_package(name: str, line: Line) -> Package:
    url = line.url or line.requirement.path
    return Package(
        name=name,
        version=line.version or str(line.specifier) or None,
        origin=without_credentials(url) if url else None,
        required=line.shown,
    )


def _conda_packages(specs: tuple[str, ...]) -> dict[str, Package]:
    packages = {}
    for spec in specs:
        name = conda_yaml.name_of(spec)
        version = spec.rpartition("::")[2][len(name) :].strip().lstrip("=")
        shown = f"{name} (conda)"
        packages[shown] = Package(name=shown, version=version or None, origin="conda")
    return packages


def _locked_package(locked: LockedPackage) -> Package:
    return Package(
        name=locked.name,
        version=None if locked.version is None else str(locked.version),
        origin=without_credentials(_locked_origin(locked)),
        files=dict(_locked_hashes(locked)),
    )


def _locked_origin(locked: LockedPackage) -> str:
    if locked.vcs is not None:
        vcs = locked.vcs
        return f"{vcs.type}+{vcs.url or vcs.path}@{vcs.commit_id}"
    if locked.archive is not None:
        return str(locked.archive.url or locked.archive.path)
    if locked.directory is not None:
        return locked.directory.path
    if locked.index:
        return f"{INDEX} {locked.index}"
    return INDEX


def _locked_hashes(locked: LockedPackage) -> Iterator[tuple[str, str]]:
    for file in pylock.files_of(locked):
        digest = file.hashes.get("sha256")
        if digest:
            yield pylock.file_name_of(file), digest


def _origin(captured: CapturedDistribution) -> str:
    if captured.origin is None:
        return INDEX
    return _direct_origin(captured.origin)


def _direct_origin(origin: Mapping[str, Any]) -> str:
    url = str(origin.get("url") or "")
    if origin.get("vcs"):
        url = f"{origin['vcs']}+{url}@{origin.get('commit') or ''}"
    if origin.get("editable"):
        url = f"{url} (editable)"
    return without_credentials(url)


def _wheel_hashes(captured: CapturedDistribution) -> Mapping[str, str]:
    if not captured.wheel:
        return {}
    file = str(captured.wheel["path"]).rpartition("/")[2]
    return {file: str(captured.wheel["sha256"])}


def _installed_package(distribution: Distribution) -> Package:
    direct = distribution.origin
    origin = "conda" if distribution.installer == "conda" else INDEX
    if direct is not None:
        origin = _direct_origin(
            {
                "url": direct.url,
                "vcs": direct.vcs,
                "commit": direct.commit,
                "editable": direct.editable,
            }
        )
    return Package(name=str(distribution.name), version=distribution.version, origin=origin)
