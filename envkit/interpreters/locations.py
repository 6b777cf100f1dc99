"""Where interpreters of a minor version may lie on this machine, and how those places are called in messages.

In this order: the interpreter that runs envkit, the PATH, what pyenv, asdf, mise and uv keep,
conda's environments, and those that came with unpacked archives. Paths alone are looked at; nothing
is started here.
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
    """Yield programs that may be of this minor version, each once, those that promise the version `wanted` first.

    `unpacked` is the folder of interpreters that came with archives.
    """
    seen: set[str] = set()
    # these come and go: no base for others
    built = f"{os.path.realpath(unpacked.parent / 'environments')}{os.sep}"
    for executable in _all(minor, wanted, environ, unpacked):
        real = os.path.realpath(executable)
        if real not in seen and not real.startswith(built):
            seen.add(real)
            yield executable


def _all(minor: str, wanted: str, environ: Mapping[str, str], unpacked: Path) -> Iterator[Path]:
    yield from _running(minor)
    yield from _on_path((f"python{minor}",), environ)
    for folder in _version_folders(environ):
        yield from _kept(folder, rf"{re.escape(minor)}\.\d+", wanted, minor)
    for folder in (uv_versions(environ), unpacked):
        yield from _kept(
            folder, rf"cpython-{re.escape(minor)}\.\d+-[\w.-]+", f"cpython-{wanted}-", minor
        )
    for prefix in conda_prefixes(environ):
        yield from _program(prefix, minor)
    yield from _on_path(("python3", "python"), environ)


def discovered(minor: str, environ: Mapping[str, str], unpacked: Path) -> Iterator[Path]:
    """Yield what virtualenv's own search finds (https://python-discovery.readthedocs.io): other names on the PATH, on
    Windows the registry. It starts what it finds and takes a second: for when `candidates` has
    nothing.
    """
    import logging  # only where it is needed

    try:
        from python_discovery import iter_interpreters
    except ImportError:  # which virtualenv brings since its version 21
        return
    # else its warnings reach the terminal
    logging.getLogger("python_discovery").addHandler(logging.NullHandler())
    built = f"{os.path.realpath(unpacked.parent / 'environments')}{os.sep}"
    folders = os.pathsep.join(_folders_of_path(environ))
    for found in iter_interpreters(f"cpython{minor}", env={**environ, "PATH": folders}):
        executable = found.system_executable or found.executable
        if executable and not os.path.realpath(executable).startswith(built):
            yield Path(executable)


def names(minor: str, environ: Mapping[str, str], unpacked: Path) -> tuple[str, ...]:
    """Say where `candidates` looks, for a message."""
    others = [str(each) for each in (*_version_folders(environ)[1:], unpacked) if each.is_dir()]
    return (
        "the interpreter that runs envkit",
        f"python{minor}, python3 and python on the PATH",
        str(pyenv_versions(environ)),
        str(uv_versions(environ)),
        *others,
        "conda's environments",
    )


def _running(minor: str) -> list[Path]:
    if minor != f"{sys.version_info.major}.{sys.version_info.minor}":
        return []
    return [Path(getattr(sys, "_base_executable", None) or sys.executable)]


def _on_path(programs: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[Path]:
    """Shims are left out: scripts that only lead to what is looked at elsewhere, or to nothing."""
    for folder in _folders_of_path(environ):
        yield from (path for name in programs if (path := Path(folder) / name).is_file())


def _folders_of_path(environ: Mapping[str, str]) -> list[str]:
    folders = environ.get("PATH", "").split(os.pathsep)
    return [each for each in folders if each and Path(os.path.normpath(each)).name != "shims"]


def _version_folders(environ: Mapping[str, str]) -> list[Path]:
    """The folders of managers that name each version's folder by its number."""
    asdf = Path(environ.get("ASDF_DATA_DIR") or Path.home() / ".asdf")
    mise = Path(environ.get("MISE_DATA_DIR") or _data(environ) / "mise")
    return [pyenv_versions(environ), asdf / "installs" / "python", mise / "installs" / "python"]


def pyenv_versions(environ: Mapping[str, str]) -> Path:
    """The folder in which pyenv keeps interpreters."""
    root = environ.get("PYENV_ROOT")
    return (Path(root) if root else Path.home() / ".pyenv") / "versions"


def uv_versions(environ: Mapping[str, str]) -> Path:
    """The folder in which uv keeps interpreters."""
    if folder := environ.get("UV_PYTHON_INSTALL_DIR"):
        return Path(folder)
    return _data(environ) / "uv" / "python"


def _data(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_DATA_HOME")
    if folder:
        return Path(folder)
    return Path.home() / ".local" / "share"


def conda_prefixes(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield conda's environments: the active one, the usual bases, and those in conda's own list."""
    yield from (
        Path(environ[name]) for name in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX") if environ.get(name)
    )
    if program := environ.get("CONDA_EXE"):
        yield Path(program).parent.parent
    for root in (*(Path.home() / name for name in _CONDA_ROOTS), Path("/opt/conda")):
        yield root
        yield from _folders(root / "envs", ".*")
    try:
        listed = (Path.home() / ".conda" / "environments.txt").read_text(
            encoding="utf-8", errors="replace"
        )
    except OSError:
        return
    yield from (Path(line) for line in listed.splitlines() if line.startswith("/"))


def _kept(parent: Path, pattern: str, promise: str, minor: str) -> Iterator[Path]:
    folders = sorted(
        _folders(parent, pattern), key=lambda each: (not each.name.startswith(promise), each.name)
    )
    for folder in folders:
        yield from _program(folder, minor)


def _program(prefix: Path, minor: str) -> Iterator[Path]:
    if (program := prefix / "bin" / f"python{minor}").is_file():
        yield program


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return [each for each in parent.iterdir() if re.fullmatch(pattern, each.name)]
    except OSError:
        return []
