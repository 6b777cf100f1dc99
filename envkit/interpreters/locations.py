"""Where interpreters of a minor version may lie on this machine, and the names of the places.

In this order: the interpreter that runs envkit, the PATH, what pyenv, asdf, mise and uv installed,
conda's environments, and those that came with unpacked archives. Only paths are checked; nothing is
started here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_CONDA_ROOTS = ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba", ".conda")


def candidates(
    minor: str, wanted: str, environ: Mapping[str, str], unpacked: Path
) -> Iterator[Path]:
    """Yield programs that may be of this minor version, each once.

    Those whose path promises the version `wanted` are first in their place. `unpacked` is the
    folder of interpreters that came with archives.
    """
    seen: set[str] = set()
    built = _built_environments(unpacked)
    for executable in _all(minor, wanted, environ, unpacked):
        real = os.path.realpath(executable)
        if real not in seen and not real.startswith(built):
            seen.add(real)
            yield executable


def _all(minor: str, wanted: str, environ: Mapping[str, str], unpacked: Path) -> Iterator[Path]:
    yield from _running(minor)
    yield from _on_path((f"python{minor}",), environ)
    escaped = re.escape(minor)
    for folder in _version_folders(environ):
        yield from _installed(folder, rf"{escaped}\.\d+", wanted, minor)
    for folder in (uv_versions(environ), unpacked):
        pattern = rf"cpython-{escaped}\.\d+-[\w.-]+"
        yield from _installed(folder, pattern, f"cpython-{wanted}-", minor)
    for prefix in conda_prefixes(environ):
        yield from _program(prefix, minor)
    yield from _on_path(("python3", "python"), environ)


def _built_environments(unpacked: Path) -> str:
    """Return how paths of the store's environments begin.

    These come and go, so other environments are not built on them.
    """
    return f"{os.path.realpath(unpacked.parent / 'environments')}{os.sep}"


def discovered(minor: str, environ: Mapping[str, str], unpacked: Path) -> Iterator[Path]:
    """Yield what virtualenv's own search finds: other names on the PATH, on Windows the registry.

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
    built = _built_environments(unpacked)
    search_path = os.pathsep.join(_folders_of_path(environ))
    for found in iter_interpreters(f"cpython{minor}", env={**environ, "PATH": search_path}):
        executable = found.system_executable or found.executable
        if executable and not os.path.realpath(executable).startswith(built):
            yield Path(executable)


def names(minor: str, environ: Mapping[str, str], unpacked: Path) -> tuple[str, ...]:
    """Name the places of `candidates`, for a message."""
    others = [*_version_folders(environ)[1:], unpacked]
    return (
        "the interpreter that runs envkit",
        f"python{minor}, python3 and python on the PATH",
        str(pyenv_versions(environ)),
        str(uv_versions(environ)),
        *(str(folder) for folder in others if folder.is_dir()),
        "conda's environments",
    )


def _running(minor: str) -> list[Path]:
    if minor != f"{sys.version_info.major}.{sys.version_info.minor}":
        return []
    return [Path(getattr(sys, "_base_executable", None) or sys.executable)]


def _on_path(programs: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[Path]:
    for folder in _folders_of_path(environ):
        for name in programs:
            path = Path(folder) / name
            if path.is_file():
                yield path


def _folders_of_path(environ: Mapping[str, str]) -> list[str]:
    """Return the folders of the PATH, without those of shims."""
    folders = environ.get("PATH", "").split(os.pathsep)
    return [
        folder
        for folder in folders
        if folder and os.path.basename(os.path.normpath(folder)) != "shims"  # noqa: PTH119 - a text
    ]


def _version_folders(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders of managers that name each version's folder by its number."""
    asdf = Path(environ.get("ASDF_DATA_DIR") or Path.home() / ".asdf")
    mise = Path(environ.get("MISE_DATA_DIR") or _data(environ) / "mise")
    return [pyenv_versions(environ), asdf / "installs" / "python", mise / "installs" / "python"]


def pyenv_versions(environ: Mapping[str, str]) -> Path:
    """Return the folder in which pyenv keeps interpreters."""
    root = environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    return Path(root) / "versions"


def uv_versions(environ: Mapping[str, str]) -> Path:
    """Return the folder in which uv keeps interpreters."""
    folder = environ.get("UV_PYTHON_INSTALL_DIR")
    if folder:
        return Path(folder)
    return _data(environ) / "uv" / "python"


def _data(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def conda_prefixes(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield conda's environments: the active one, the usual bases, those in conda's own list."""
    for variable in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable])
    if environ.get("CONDA_EXE"):
        yield Path(environ["CONDA_EXE"]).parent.parent
    for root in (*(Path.home() / name for name in _CONDA_ROOTS), Path("/opt/conda")):
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
