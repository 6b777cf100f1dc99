"""Wheels of what was installed from this machine: copied, or built from folders and sdists.

Nobody else has these files, so the model takes a wheel of each along; of repositories that others
can reach, too, when that is wished, so that nobody has to build them. What is built is built from a
private copy: the project keeps no trace of it, and the build (the project's own code) runs with a
fixed date, so that building the same source again gives the same bytes. Unless it is an editable
install, which is whatever the folder holds today, a wheel must hold the very code that is
installed.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename

from envkit.child import hidden_paths, process, uv
from envkit.child import variables as environment
from envkit.formats.credentials import filled, without_credentials
from envkit.installed.distribution import Distribution, Origin

FOLDER = "wheels"
BUILD_SECONDS = 900.0
COPIED_BYTES = 2_000_000_000  # of one project; more is data that lies beside it
_EPOCH = "315532800"  # 1980-01-01, the first day that zip files know
_NO_SOURCE = {
    "__pycache__",
    ".venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "node_modules",
}
_OUTPUT = {"build", "dist"}  # of earlier builds, when they are no packages


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalWheel:
    """A wheel that the model takes along.

    file: where it waits to be copied into the model directory. of_commit: it was built from a
    repository, whose address stands in the requirements; the wheel is for the lock alone.
    """

    name: NormalizedName
    version: str
    file: Path
    sha256: str
    of_commit: bool = False

    @property
    def path(self) -> str:
        """Where it lies in the model directory."""
        return f"{FOLDER}/{self.file.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalWheels:
    """Wheels by distribution name, and why other distributions have none (to follow "and")."""

    found: Mapping[NormalizedName, LocalWheel] = field(default_factory=dict)
    missing: Mapping[NormalizedName, str] = field(default_factory=dict)

    @property
    def required(self) -> Mapping[NormalizedName, LocalWheel]:
        """Those that are themselves requirements, by their path."""
        return {name: wheel for name, wheel in self.found.items() if not wheel.of_commit}


class _NoWheel(Exception):
    """Why there is none, to follow "and"."""


def collect(
    distributions: Iterable[Distribution],
    python: str,
    folder: Path,
    *,
    build: bool,
    build_vcs: bool = False,
    untrusted: Collection[Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> LocalWheels:
    """Put a wheel of each distribution that came from this machine into `folder`.

    python: the interpreter that builds are for. build: whether projects may be built, which runs
    their code. build_vcs: build repositories of other machines, too. untrusted: folders of the
    model; what metadata in them name is neither built nor copied.
    """
    found: dict[NormalizedName, LocalWheel] = {}
    missing: dict[NormalizedName, str] = {}
    for each in distributions:
        if each.origin is None or not (each.origin.local or (build_vcs and each.origin.is_commit)):
            continue
        if hidden_paths.lies_in(each.folder, untrusted):
            missing[each.name] = (
                "its metadata lies in the model, so no wheel is made of what they name"
            )
            continue
        try:
            found[each.name] = _wheel_of(
                each, each.origin, python, folder, report if build else None
            )
        except _NoWheel as reason:
            missing[each.name] = str(reason)
        except (OSError, zipfile.BadZipFile) as error:
            missing[each.name] = (
                f"no wheel of it could be made ({' '.join(str(error).split())[:300]})"
            )
    return LocalWheels(found=found, missing=missing)


def _wheel_of(
    distribution: Distribution,
    origin: Origin,
    python: str,
    folder: Path,
    report: Callable[[str], None] | None,
) -> LocalWheel:
    if origin.local:
        source = Path(unquote(urlsplit(origin.url).path))
    else:
        source = Path()
    if not source.exists():
        raise _NoWheel("that is not there any more")
    if source.suffix == ".whl":
        return _checked(
            Path(shutil.copy(source, folder)), distribution, origin, changed=lambda _: True
        )
    if report is None:
        raise _NoWheel("it was not to be built")
    address = without_credentials(origin.url)
    report(f"Building a wheel of {distribution.name} from {address}, which runs its build.")
    with tempfile.TemporaryDirectory(prefix="envkit-build-") as private:
        built = _built(
            _source(source, origin, Path(private, "source")), python, Path(private, "wheels")
        )
        wheel = Path(shutil.copy(built, folder))
    return _checked(
        wheel,
        distribution,
        origin,
        changed=lambda path: not origin.editable and path.endswith(".py"),
    )


def _source(source: Path, origin: Origin, place: Path) -> Path:
    """A private copy of what is to be built."""
    if origin.vcs:
        _check_out(origin, place)
        return place / (origin.subdirectory or "")
    if source.is_file():
        _check_digest(source, origin)
        return source
    shutil.copytree(source, place, ignore=_Ignored(source), ignore_dangling_symlinks=True)
    return place


def _check_out(origin: Origin, place: Path) -> None:
    """Get the commit with its submodules, as installers do."""
    if origin.vcs != "git" or not origin.commit:
        raise _NoWheel(f"a wheel cannot be built from a {origin.vcs} repository")
    if "${" in origin.url:
        repository = filled(origin.url, os.environ)
    else:
        repository = origin.url
    commands: tuple[list[str | Path], ...] = (
        ["git", "clone", "--quiet", "--no-checkout", "--no-hardlinks", "--", repository, place],
        ["git", "-C", place, "checkout", "--quiet", "--detach", origin.commit],
        ["git", "-C", place, "submodule", "--quiet", "update", "--init", "--recursive"],
    )
    for argv in commands:
        asked = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        try:
            ended = process.run(argv, environment=asked, timeout=BUILD_SECONDS, keep_output=True)
        except FileNotFoundError:
            raise _NoWheel("git, which is needed to have it, is not installed") from None
        if not ended.succeeded:
            raise _NoWheel(f"commit {origin.commit} of it cannot be had: {_told(ended)}")


class _Ignored:
    """Leave out what is not source, for `shutil.copytree`. Raises `OSError` if it is too large."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._bytes = 0

    def __call__(self, folder: str, names: Collection[str]) -> set[str]:
        left_out = {
            name
            for name in names
            if name in _NO_SOURCE or Path(folder, name, "pyvenv.cfg").exists()
        }
        if str(folder) == self._root:
            left_out |= {
                name
                for name in _OUTPUT & set(names)
                if not Path(folder, name, "__init__.py").exists()
            }
        files = (Path(folder, name) for name in names if name not in left_out)
        self._bytes += sum(file.stat().st_size for file in files if file.is_file())
        if self._bytes > COPIED_BYTES:
            raise OSError(f"its folder holds more than {COPIED_BYTES // 10**9} GB")
        return left_out


def _built(source: Path, python: str, out: Path) -> Path:
    variables = {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": _EPOCH,
        **environment.for_installer(os.environ),
    }
    ended = process.run(
        [
            uv.program(),
            "build",
            "--wheel",
            "--color",
            "never",
            "--python",
            python,
            "--out-dir",
            out,
            source,
        ],
        environment=variables,
        directory=out.parent,
        timeout=BUILD_SECONDS,
        keep_output=True,
    )
    wheels = list(out.glob("*.whl"))
    if not ended.succeeded or len(wheels) != 1:
        raise _NoWheel(f"its build {ended.how}: {_told(ended)}")
    return wheels[0]


def _checked(
    wheel: Path, distribution: Distribution, origin: Origin, changed: Callable[[str], bool]
) -> LocalWheel:
    """Give the wheel if it is of this distribution and no `changed` file differs from it."""
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename as error:
        raise _NoWheel(f"{wheel.name} is no name of a wheel") from error
    if name != distribution.name:
        raise _NoWheel(f"it gives {name} now")
    if not origin.vcs and wheel.name == Path(urlsplit(origin.url).path).name:
        _check_digest(wheel, origin)
    for path, recorded in _recorded(wheel):
        if changed(path) and distribution.record.get(path, ("", ""))[0] != recorded:
            raise _NoWheel(f"it has changed since ({path})")
    digest = _digest(wheel, "sha256")
    return LocalWheel(
        name=name, version=str(version), file=wheel, sha256=digest, of_commit=origin.is_commit
    )


def _check_digest(file: Path, origin: Origin) -> None:
    algorithm, _, digest = (origin.digest or "").partition(":")
    if digest and _digest(file, algorithm) != digest:
        raise _NoWheel("that file has changed since")


def _recorded(wheel: Path) -> list[tuple[str, str]]:
    """Hash the files of a wheel, without metadata and what installers put elsewhere."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(
            (each for each in archive.namelist() if each.endswith(".dist-info/RECORD")), None
        )
        if record is None:
            raise _NoWheel("its wheel has no RECORD")
        rows = csv.reader(archive.read(record).decode("utf-8", "replace").splitlines())
        listed = [(row[0], row[1]) for row in rows if len(row) >= 2 and row[1]]
    return [
        (path, recorded)
        for path, recorded in listed
        if ".dist-info/" not in path and ".data/" not in path
    ]


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _told(ended: process.Ended) -> str:
    return without_credentials(" ".join(ended.output.split())[-300:]) or ended.how
