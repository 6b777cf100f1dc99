"""The whole closure as wheels in the model, so that it can be rebuilt without a network."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging import tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envkit.child import process
from envkit.errors import BuildFailed
from envkit.formats import file_set, pylock_toml
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import (
    Package,
    PackageArchive,
    PackageWheel,
    Pylock,
    file_name_of,
    hashes_of,
)
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement
from envkit.locking import indexes
from envkit.locking.local_wheels import FOLDER
from envkit.locking.relock import relock
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec

DOWNLOAD_SECONDS = 3600.0
_ELSEWHERE = "Fetch it to a folder first: `envkit download URI -o DIR`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A model that contains all its wheels.

    Attributes:
        wheels: Their paths in the model.
        bytes_total: Their size in bytes.
    """

    wheels: tuple[str, ...]
    bytes_total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _ChosenWheel:
    """The file of a locked package that fits this platform and Python."""

    package: Package
    file: PackageWheel | PackageArchive

    @property
    def name(self) -> str:
        return file_name_of(self.file)

    @property
    def is_downloaded(self) -> bool:
        return self.file.path is None

    @property
    def place(self) -> str:
        """Its path in the model."""
        return self.file.path or f"{FOLDER}/{self.name}"

    @property
    def requirement(self) -> Requirement:
        text = f"{self.package.name} @ {self.file.url}"
        return Requirement(text=text, hashes=hashes_of([self.file]))

    @property
    def entry(self) -> Package:
        """The package as the lock of the bundle has it."""
        wheel = PackageWheel(name=self.name, path=self.place, hashes=dict(self.file.hashes))
        return Package(
            name=self.package.name,
            version=self.package.version,
            requires_python=self.package.requires_python,
            wheels=[wheel],
            tool=self.package.tool,
        )


def bundle(model_uri: str | Path) -> Bundle:
    """Put a wheel of every locked package into `wheels/` and lock it there by path and hash.

    The wheels are those for this platform and the model's Python. A model without a lock is locked
    first. pip downloads, with its own configuration and the indexes that uv is configured with.

    Args:
        model_uri: The model, a local one.

    Returns:
        The paths of the wheels in the model, and their size.

    Raises:
        BuildFailed: A package has no wheel that fits, or cannot be downloaded.
        InvalidFile: The lock cannot be parsed.
            In both cases nothing is changed.
    """
    model = ModelDirectory.open(model_uri, hint=_ELSEWHERE)
    python = _python(read_spec(model).python)
    with tempfile.TemporaryDirectory(prefix="envkit-bundle-") as name:
        folder = Path(name)
        lock = _lock(model, folder)
        wheels = [
            _choose(package, python) for package in lock.packages if _applies(package, python)
        ]
        downloaded = [wheel for wheel in wheels if wheel.is_downloaded]
        _download(downloaded, python, folder)
        text = pylock_toml.dumps(
            packages=[wheel.entry for wheel in wheels],
            requires_python=str(lock.requires_python or f"=={python[0]}.{python[1]}.*"),
        )
        files: dict[str, file_set.Content | None] = {
            wheel.place: folder / wheel.name for wheel in downloaded
        }
        file_set.write_files(model.path, {**files, pylock_toml.FILE_NAME: text})
    places = sorted(wheel.place for wheel in wheels)
    sizes = [(model.path / place).stat().st_size for place in places]
    return Bundle(wheels=tuple(places), bytes_total=sum(sizes))


def _lock(model: ModelDirectory, folder: Path) -> Pylock:
    path = model.file(pylock_toml.FILE_NAME)
    if path is not None:
        return LockFile(path=path).lock
    path = folder / pylock_toml.FILE_NAME
    return pylock_toml.parse(relock(model.path, output_path=path).text, path)


def _python(version: str) -> tuple[int, int]:
    major, minor, *_ = (*version.split("."), "0")
    return int(major), int(minor)


def _applies(package: Package, python: tuple[int, int]) -> bool:
    if package.marker is None:
        return True
    version = ".".join(map(str, python))
    return package.marker.evaluate(
        {"python_version": version, "python_full_version": f"{version}.0"}
    )


def _choose(package: Package, python: tuple[int, int]) -> _ChosenWheel:
    """Choose the file that fits best. Raises `BuildFailed` when none fits."""
    files: list[PackageWheel | PackageArchive] = list(package.wheels or ())
    if package.archive is not None:
        files.append(package.archive)
    ranks = {tag: rank for rank, tag in enumerate(_tags(python))}
    ranked = {
        rank: file
        for file in reversed(files)
        if (rank := _rank(file_name_of(file), ranks)) is not None
    }
    if not ranked:
        raise _nothing_fits(package)
    return _ChosenWheel(package=package, file=ranked[min(ranked)])


def _nothing_fits(package: Package) -> BuildFailed:
    if package.vcs is not None:
        reason = "comes from version control"
        hint = "Capture the model with `--build-vcs`, so that it contains a wheel of it."
    else:
        reason = "has no wheel for this platform and Python"
        hint = (
            "Put a wheel of it into the model's `wheels/`, name that in requirements.txt, "
            "and run `envkit lock` again."
        )
    return BuildFailed(f"bundle {package.name}: it {reason}; nothing was changed", hint)


def _tags(python: tuple[int, int]) -> Iterable[tags.Tag]:
    yield from tags.cpython_tags(python)
    yield from tags.compatible_tags(python, f"cp{python[0]}{python[1]}")


def _rank(name: str, ranks: Mapping[tags.Tag, int]) -> int | None:
    try:
        _, _, _, wheel_tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return None
    return min((ranks[tag] for tag in wheel_tags if tag in ranks), default=None)


def _download(wheels: list[_ChosenWheel], python: tuple[int, int], folder: Path) -> None:
    """Let pip download each by URL and hash; it has the credentials of the indexes."""
    if not wheels:
        return
    requirements = folder / "requirements.txt"
    lines = [f"{wheel.requirement}\n" for wheel in wheels]
    requirements.write_text("".join(lines), encoding="utf-8")
    command: list[str | Path] = [sys.executable, "-P", "-m", "pip", "download", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", ".".join(map(str, python))]
    command += ["--dest", folder, "-r", requirements]
    ended = process.run(
        command,
        environment=_environment_for_pip(),
        directory=folder,
        timeout=DOWNLOAD_SECONDS,
        keep_output=True,
    )
    if not ended.succeeded:
        output = without_credentials(ended.output.strip()) or f"pip {ended.how}"
        raise BuildFailed("download the wheels; nothing was changed", output)


def _environment_for_pip() -> dict[str, str]:
    environment = {
        **os.environ,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }
    urls = [os.environ.get("PIP_EXTRA_INDEX_URL", ""), *indexes.configured_for_uv(os.environ)]
    extra = " ".join(filter(None, urls))
    if extra:
        environment["PIP_EXTRA_INDEX_URL"] = extra
    return environment
