"""What an environment holds, whatever tells it: a model, a capture, a lock, requirements, or the environment itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from envkit.errors import InvalidFile, InvalidInput, NotAnInterpreter
from envkit.formats import conda_yaml, envkit_json, mlmodel, pylock_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.installed.distributions import Distribution, InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.interpreters.program import find_program, is_command
from envkit.models.directory import ModelDirectory
from envkit.models.uris.fetch import is_elsewhere
from envkit.models.uris.required_files import ENVIRONMENT
from envkit.validating.files.evidence import Evidence, Seen
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line, RequirementFiles, read, read_lines

CURRENT = "current"
INDEX = "index"


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One distribution. version, origin: None where that is not known; origin: `index`, or a URL without credentials.

    required: the line of the requirements or constraints that asks for it, without credentials.
    files: file name → SHA-256, of what may be installed.
    """

    name: str
    version: str | None = None
    origin: str | None = None
    required: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One side of a comparison. source: `model`, `capture`, `lock`, `requirements`, `conda` or `environment`."""

    source: str
    packages: Mapping[str, Package]
    python: str | None = None
    platform: str | None = None


def take(where: str | Path) -> Snapshot:
    """Look at a model, a folder with `envkit.json`, that file, a `pylock.toml`, a requirements file, a `conda.yaml`, an
    interpreter, its command or its environment's folder; `current` is the interpreter that runs envkit.

    Nothing of a model is run; an interpreter is started to say what it is. Raises `InvalidInput` for anything else,
    `InvalidFile` for a malformed file, `NotAnInterpreter` for what is none.
    """  # fmt: skip
    if str(where) == CURRENT:
        return _of_environment(Path(sys.executable))
    path = Path(where).expanduser()
    if (
        str(where).startswith("file:")
        or is_elsewhere(where)
        or (path / mlmodel.FILE_NAME).is_file()
    ):
        return _of_model(ModelDirectory.open(where, ENVIRONMENT))
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path)
    return _of_environment(_command(where))


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
    if any(
        (path / each).exists() for each in ("pyvenv.cfg", "conda-meta", "bin/python", "python.exe")
    ):
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
        return Snapshot(source="requirements", packages=_of_lines(_lines(path)))
    if os.access(path, os.X_OK):
        return _of_environment(path)
    raise InvalidInput(
        f"{path} is no kind of file that can be compared: give a model, a lock or an interpreter."
    )


def _of_model(model: ModelDirectory) -> Snapshot:
    """What would be built: requirements and lock; the evidence tells where they came from."""
    facts = ModelFacts(model.path)
    if facts.broken:
        raise facts.broken[0].error(model.path)
    packages = dict(_of_lines(facts.requirements))
    packages |= _conda_packages(facts.conda.packages if facts.conda else ())
    if facts.lock is not None:
        locked = {each.name: each for each in map(_locked, facts.lock.packages)}
        packages |= {
            name: replace(each, required=_asked(packages.get(name)))
            for name, each in locked.items()
        }
    seen = {
        canonicalize_name(each.name): each
        for each in (facts.evidence.installed if facts.evidence else ())
    }
    for name, each in seen.items():
        mine = packages.get(name)
        if (
            mine is not None
            and mine.version in (None, each.version)
            and mine.origin in (None, INDEX)
        ):
            packages[name] = replace(mine, version=each.version, origin=_origin_of(each))
    platform = facts.evidence.platform if facts.evidence else None
    return Snapshot(
        source="model", packages=packages, python=facts.python, platform=platform or None
    )


def _of_evidence(path: Path) -> Snapshot:
    try:
        evidence = Evidence.of(envkit_json.read(path))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidFile(path, "", "is not what `envkit capture` writes") from error
    names = {canonicalize_name(each.name): each for each in evidence.installed}
    packages: dict[str, Package] = {
        name: Package(
            name=name, version=each.version or None, origin=_origin_of(each), files=_wheel(each)
        )
        for name, each in names.items()
    }
    return Snapshot(
        source="capture",
        packages=packages,
        python=evidence.python,
        platform=evidence.platform or None,
    )


def _of_lock(path: Path) -> Snapshot:
    lock = pylock_toml.read(path)
    packages = {each.name: each for each in map(_locked, lock.packages)}
    return Snapshot(source="lock", packages=packages)


def _of_conda(path: Path) -> Snapshot:
    env = conda_yaml.read(path)
    lines = read_lines(env.pip or (), path.resolve(), path.resolve().parent)
    packages = {**_of_lines(lines), **_conda_packages(env.packages)}
    return Snapshot(source="conda", packages=packages, python=conda_yaml.python_version(env, path))


def _of_environment(python: Path) -> Snapshot:
    facts = describe(python)
    found = {str(each.name): _installed(each) for each in InstalledDistributions(facts.sys_path)}
    return Snapshot(
        source="environment", packages=found, python=facts.version, platform=facts.platform
    )


def _lines(path: Path) -> RequirementFiles:
    found = read(path.resolve(), Path(path.resolve().anchor))
    if found.broken:
        first = found.broken[0]
        raise InvalidFile(path, first.field, first.problem, first.hint)
    return found


def _of_lines(files: RequirementFiles) -> Mapping[str, Package]:
    """Requirements and constraints; what is pinned counts before what is not."""
    found: dict[str, Package] = {}
    for line in sorted(files.lines, key=lambda each: each.version is not None):
        if line.name is not None:
            found[line.name] = _required(line)
    return found


def _asked(package: Package | None) -> str | None:
    if package is None:
        return None
    return package.required


def _required(line: Line) -> Package:
    url = line.url or line.requirement.path
    return Package(
        name=line.name or "",
        version=line.version or (str(line.specifier) or None),
        origin=None if url is None else without_credentials(url),
        required=line.shown,
    )


def _conda_packages(specs: tuple[str, ...]) -> Mapping[str, Package]:
    found = {}
    for spec in specs:
        name = conda_yaml.name_of(spec)
        version = spec.rpartition("::")[2][len(name) :].strip().lstrip("=") or None
        found[f"{name} (conda)"] = Package(name=f"{name} (conda)", version=version, origin="conda")
    return found


def _locked(package: LockedPackage) -> Package:
    vcs, archive = package.get("vcs"), package.get("archive")
    if vcs:
        origin = f"{vcs['type']}+{vcs.get('url') or vcs.get('path')}@{vcs['commit-id']}"
    elif archive:
        origin = str(archive.get("url") or archive.get("path"))
    elif "directory" in package:
        origin = str(package["directory"].get("path"))
    else:
        if package.get("index"):
            origin = f"{INDEX} {package['index']}"
        else:
            origin = INDEX
    return Package(
        name=canonicalize_name(str(package["name"])),
        version=str(package["version"]) if package.get("version") else None,
        origin=without_credentials(origin),
        files=dict(_hashes(package)),
    )


def _hashes(package: LockedPackage) -> Iterator[tuple[str, str]]:
    for file in (*package.get("wheels", ()), package.get("sdist"), package.get("archive")):
        if file and "sha256" in file.get("hashes", {}):
            name = file.get("name") or str(file.get("url") or file.get("path")).rpartition("/")[2]
            yield str(name), str(file["hashes"]["sha256"])


def _origin_of(seen: Seen) -> str:
    if seen.origin is None:
        return INDEX
    return _direct(seen.origin)


def _direct(origin: Mapping[str, Any]) -> str:
    url = str(origin.get("url") or "")
    if origin.get("vcs"):
        url = f"{origin['vcs']}+{url}@{origin.get('commit') or ''}"
    return without_credentials(f"{url} (editable)" if origin.get("editable") else url)


def _wheel(seen: Seen) -> Mapping[str, str]:
    if not seen.wheel:
        return {}
    return {str(seen.wheel["path"]).rpartition("/")[2]: str(seen.wheel["sha256"])}


def _installed(each: Distribution) -> Package:
    origin = each.origin
    if origin is not None:
        told = {
            "url": origin.url,
            "vcs": origin.vcs,
            "commit": origin.commit,
            "editable": origin.editable,
        }
        return Package(name=each.name, version=each.version, origin=_direct(told))
    return Package(
        name=each.name, version=each.version, origin="conda" if each.installer == "conda" else INDEX
    )
