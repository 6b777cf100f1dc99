"""The whole closure as wheels in the model, so that its environment is rebuilt without any network."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging import tags
from packaging.markers import Marker
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envkit.child import process
from envkit.errors import BuildFailed
from envkit.formats import file_set, pylock_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage, PyLock
from envkit.locking import indexes
from envkit.locking.local_wheels import FOLDER
from envkit.locking.relock import relock
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec

DOWNLOAD_SECONDS = 3600.0
_ELSEWHERE = "Fetch it to a folder first: `envkit download URI -o DIR`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A model that brings all its wheels. wheels: their paths in the model. bytes_total: how large they are."""

    wheels: tuple[str, ...]
    bytes_total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wheel:
    """One wheel of the lock that fits. path: where the model has it already, or empty."""

    package: LockedPackage
    name: str
    url: str
    path: str
    hashes: Mapping[str, str]

    @property
    def place(self) -> str:
        return self.path or f"{FOLDER}/{self.name}"

    @property
    def entry(self) -> LockedPackage:
        """As the lock of the bundle has it."""
        wheel = {"name": self.name, "path": self.place, "hashes": dict(self.hashes)}
        kept = {
            key: self.package[key]
            for key in ("name", "version", "requires-python", "tool")
            if key in self.package
        }
        return {**kept, "wheels": [wheel]}


def bundle(model_uri: str | Path) -> Bundle:
    """Put a wheel of every locked package into the model's `wheels/`, and lock them there by path and hash.

    The wheels are those for this platform and the model's Python. A model without a lock is locked
    first. pip downloads, with its own configuration and the indexes that uv is told of.

    Raises `BuildFailed` for a package without a fitting wheel and for one that cannot be
    downloaded, `InvalidFile` for a lock that is none. Then nothing is changed.
    """
    model = ModelDirectory.open(model_uri, hint=_ELSEWHERE)
    python = _python(read_spec(model).python)
    with tempfile.TemporaryDirectory(prefix="envkit-bundle-") as name:
        folder = Path(name)
        lock = _lock(model, folder)
        wheels = [_chosen(each, python) for each in lock.packages if _applies(each, python)]
        _download([each for each in wheels if not each.path], python, folder)
        text = pylock_toml.dumps(
            packages=[each.entry for each in wheels],
            requires_python=lock.requires_python or f"=={python[0]}.{python[1]}.*",
        )
        files: dict[str, file_set.Content | None] = {
            each.place: folder / each.name for each in wheels if not each.path
        }
        file_set.write_files(model.path, {**files, pylock_toml.FILE_NAME: text})
    places = tuple(sorted(each.place for each in wheels))
    return Bundle(
        wheels=places, bytes_total=sum((model.path / each).stat().st_size for each in places)
    )


def _lock(model: ModelDirectory, folder: Path) -> PyLock:
    path = model.file(pylock_toml.FILE_NAME)
    if path is None:
        path = folder / pylock_toml.FILE_NAME
        relock(model.path, output_path=path)
    return pylock_toml.read(path)


def _python(version: str) -> tuple[int, int]:
    major, minor, *_ = (*version.split("."), "0")
    return int(major), int(minor)


def _applies(package: LockedPackage, python: tuple[int, int]) -> bool:
    if "marker" not in package:
        return True
    version = ".".join(map(str, python))
    return Marker(package["marker"]).evaluate(
        {"python_version": version, "python_full_version": f"{version}.0"}
    )


def _chosen(package: LockedPackage, python: tuple[int, int]) -> _Wheel:
    files = [*package.get("wheels", ()), *([package["archive"]] if "archive" in package else [])]
    ranks = {tag: rank for rank, tag in enumerate(_tags(python))}
    ranked = [(rank, each) for each in files if (rank := _rank(_name(each), ranks)) is not None]
    if not ranked:
        of_commit = "vcs" in package
        if of_commit:
            why = "comes from version control"
        else:
            why = "has no wheel for this platform and Python"
        hint = "Put a wheel of it into the model's `wheels/`, name that in requirements.txt, and `envkit lock` again."
        if of_commit:
            hint = "Capture the model with `--build-vcs`, so that it takes a wheel of it along."
        raise BuildFailed(f"bundle {package['name']}: it {why}; nothing was changed", hint)
    file = min(ranked, key=lambda each: each[0])[1]
    url, path = str(file.get("url", "")), str(file.get("path", ""))
    return _Wheel(package=package, name=_name(file), url=url, path=path, hashes=file["hashes"])


def _tags(python: tuple[int, int]) -> Iterable[tags.Tag]:
    yield from tags.cpython_tags(python)
    yield from tags.compatible_tags(python, f"cp{python[0]}{python[1]}")


def _rank(name: str, ranks: Mapping[tags.Tag, int]) -> int | None:
    try:
        fitting = [ranks[tag] for tag in parse_wheel_filename(name)[3] if tag in ranks]
    except InvalidWheelFilename:
        return None
    return min(fitting, default=None)


def _name(file: Mapping[str, Any]) -> str:
    where = str(file.get("path") or unquote(urlsplit(str(file.get("url", ""))).path))
    return str(file.get("name") or where.rpartition("/")[2])


def _download(wheels: Iterable[_Wheel], python: tuple[int, int], folder: Path) -> None:
    """Let pip fetch each by URL and hash; it has the credentials of the indexes."""
    lines = [_line(each) for each in wheels]
    if not lines:
        return
    asked = folder / "requirements.txt"
    asked.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command: list[str | Path] = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
    ]
    command += [
        "--only-binary",
        ":all:",
        "--python-version",
        ".".join(map(str, python)),
        "--dest",
        folder,
        "-r",
        asked,
    ]
    told = " ".join(
        filter(None, (os.environ.get("PIP_EXTRA_INDEX_URL"), *indexes.of_uv(os.environ)))
    )
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    environment = {**os.environ, **quiet, **({"PIP_EXTRA_INDEX_URL": told} if told else {})}
    ended = process.run(
        command,
        environment=environment,
        directory=folder,
        timeout=DOWNLOAD_SECONDS,
        keep_output=True,
    )
    if not ended.succeeded:
        said = without_credentials(ended.output.strip()) or f"pip {ended.how}"
        raise BuildFailed("download the wheels; nothing was changed", said)


def _line(wheel: _Wheel) -> str:
    digests = " ".join(f"--hash={algorithm}:{digest}" for algorithm, digest in wheel.hashes.items())
    return f"{wheel.package['name']} @ {wheel.url} {digests}"
