"""Where interpreters of a minor version may lie on this machine, and the names of the places.

In this order: the interpreter that runs envkit, the PATH, what pyenv, asdf, mise and uv installed,
conda's environments, and those that came with unpacked archives. Only paths are checked; nothing is
started here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envkit.child.variables import Variables

_CONDA_ROOTS = ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba", ".conda")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """The places of one machine.

    environ: envkit's variables (PATH, PYENV_ROOT, …). unpacked: the folder of interpreters that
    came with archives, in the store.
    """

    environ: Variables
    unpacked: Path

    def candidates(self, minor: str, wanted: str) -> Iterator[Path]:
        """Yield programs that may be of a minor version, each once.

        Within a place, those whose path promises the version `wanted` are first.
        """
        seen: set[str] = set()
        for executable in self._all(minor, wanted):
            real = os.path.realpath(executable)
            if real not in seen and not self._is_built(real):
                seen.add(real)
                yield executable

    def _all(self, minor: str, wanted: str) -> Iterator[Path]:
        environ = self.environ
        yield from _running(minor)
        yield from _on_path((f"python{minor}",), environ)
        patch_version = rf"{re.escape(minor)}\.\d+"
        for folder in _version_folders(environ):
            yield from _installed(folder, patch_version, wanted, minor)
        build = rf"cpython-{patch_version}-[\w.-]+"
        for folder in (uv_versions(environ), self.unpacked):
            yield from _installed(folder, build, f"cpython-{wanted}-", minor)
        for prefix in conda_prefixes(environ):
            yield from _program(prefix, minor)
        yield from _on_path(("python3", "python"), environ)

    def discovered(self, minor: str) -> Iterator[Path]:
        """Yield what virtualenv's own search finds, also in the registry of Windows.

        It starts what it finds and takes a second, so it comes after `candidates`.
        https://python-discovery.readthedocs.io
        """
        import logging

        try:
            # virtualenv depends on it since version 21
            from python_discovery import iter_interpreters
        except ImportError:
            return
        # else its warnings reach the terminal
        logging.getLogger("python_discovery").addHandler(logging.NullHandler())
        search_path = os.pathsep.join(_folders_of_path(self.environ))
        environ = {**self.environ, "PATH": search_path}
        for found in iter_interpreters(f"cpython{minor}", env=environ):
            executable = found.system_executable or found.executable
            if executable and not self._is_built(os.path.realpath(executable)):
                yield Path(executable)

    def names(self, minor: str) -> tuple[str, ...]:
        """Name the places of `candidates`, for a message."""
        others = [*_version_folders(self.environ)[1:], self.unpacked]
        return (
            "the interpreter that runs envkit",
            f"python{minor}, python3 and python on the PATH",
            str(pyenv_versions(self.environ)),
            str(uv_versions(self.environ)),
            *(str(folder) for folder in others if folder.is_dir()),
            "conda's environments",
        )

    def _is_built(self, executable: str) -> bool:
        """Whether it is in an environment of the store, which can be removed at any time."""
        environments = os.path.realpath(self.unpacked.parent / "environments")
        return executable.startswith(f"{environments}{os.sep}")


def _running(minor: str) -> list[Path]:
    if minor != f"{sys.version_info.major}.{sys.version_info.minor}":
        return []
    return [Path(getattr(sys, "_base_executable", None) or sys.executable)]


def _on_path(programs: tuple[str, ...], environ: Variables) -> Iterator[Path]:
    for folder in _folders_of_path(environ):
        for name in programs:
            path = Path(folder) / name
            if path.is_file():
                yield path


def _folders_of_path(environ: Variables) -> list[str]:
    """Return the folders of the PATH, without those of shims."""
    folders = environ.get("PATH", "").split(os.pathsep)
    return [folder for folder in folders if folder and Path(folder).name != "shims"]


def _version_folders(environ: Variables) -> list[Path]:
    """Return the folders of managers that name each version's folder by its number."""
    asdf = environ.get("ASDF_DATA_DIR") or Path.home() / ".asdf"
    mise = environ.get("MISE_DATA_DIR") or _data(environ) / "mise"
    return [
        pyenv_versions(environ),
        Path(asdf, "installs", "python"),
        Path(mise, "installs", "python"),
    ]


def pyenv_versions(environ: Variables) -> Path:
    """Return the folder in which pyenv keeps interpreters."""
    root = environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    return Path(root) / "versions"


def uv_versions(environ: Variables) -> Path:
    """Return the folder in which uv keeps interpreters."""
    folder = environ.get("UV_PYTHON_INSTALL_DIR")
    if folder:
        return Path(folder)
    return _data(environ) / "uv" / "python"


def _data(environ: Variables) -> Path:
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def conda_prefixes(environ: Variables) -> Iterator[Path]:
    """Yield conda's environments: the active one, the usual bases, those in conda's own list."""
    for variable in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable])
    if environ.get("CONDA_EXE"):
        yield Path(environ["CONDA_EXE"]).parent.parent
    roots = [Path.home() / name for name in _CONDA_ROOTS]
    for root in [*roots, Path("/opt/conda")]:
        yield root
        yield from _folders(root / "envs", ".*")
    yield from _conda_list()


def _conda_list() -> Iterator[Path]:
    file = Path.home() / ".conda" / "environments.txt"
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        if line.startswith("/"):
            yield Path(line)


def _installed(parent: Path, pattern: str, promise: str, minor: str) -> Iterator[Path]:
    """Yield the programs of a manager's versions.

    Those whose folder's name begins with `promise` are first.
    """
    folders = _folders(parent, pattern)
    folders.sort(key=lambda folder: (not folder.name.startswith(promise), folder.name))
    for folder in folders:
        yield from _program(folder, minor)


def _program(prefix: Path, minor: str) -> Iterator[Path]:
    program = prefix / "bin" / f"python{minor}"
    if program.is_file():
        yield program


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return [entry for entry in parent.iterdir() if re.fullmatch(pattern, entry.name)]
    except OSError:
        return []
