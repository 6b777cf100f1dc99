"""Conda environments through the user's conda, mamba or micromamba.

https://docs.conda.io/projects/conda/en/stable/commands/env/create.html and
https://mamba.readthedocs.io/en/latest/user_guide/micromamba.html. Nothing is activated and no shell
is started.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envkit.child.progress import step
from envkit.child.variables import Variables
from envkit.environments.conda import archives, machine, package_cache, settings
from envkit.environments.conda.embedded import usable_lock
from envkit.environments.conda.request import CondaRequest
from envkit.environments.installers.installer import Workshop
from envkit.errors import BuildFailed, ToolNotFound, Unsolvable
from envkit.formats import conda_json, conda_yaml, pixi_lock
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.condarc import Condarc
from envkit.formats.pixi_lock import LockedCondaPackage

VARIABLE = "ENVKIT_CONDA_EXE"
MLFLOW_VARIABLE = "MLFLOW_CONDA_HOME"
EMBEDDED = "embedded"
_NAMES = ("conda", "mamba", "micromamba")

# Set by variables, which every version knows: files are copied, so that no environment reaches the
# cache; no question is asked; and nothing is written into the home but downloads.
_OF_ALL = {
    "ALWAYS_COPY": "true",
    "ALWAYS_YES": "true",
    "CHANNEL_PRIORITY": "strict",
    "EXTRA_SAFETY_CHECKS": "true",
}
_OF_CONDA = {
    "CONDA_AUTO_UPDATE_CONDA": "false",
    "CONDA_NOTIFY_OUTDATED_CONDA": "false",
    "CONDA_REGISTER_ENVS": "false",
    "CONDA_REPORT_ERRORS": "false",
}


@dataclass(frozen=True, slots=True)
class External:
    """A program of the user's."""

    program: Path

    @property
    def kind(self) -> str:
        """`conda`, `mamba` or `micromamba`, by the program's name; another name counts as conda."""
        for name in reversed(_NAMES):
            if name in self.program.name:
                return name
        return "conda"

    def settings(self, environ: Variables, memory: Path | None = None) -> Condarc:
        """Return the program's settings."""
        return settings.of_program(self.program, environ, memory)

    def create(self, request: CondaRequest, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`; return notes."""
        lock, notes = usable_lock(request)
        locked = pixi_lock.read(lock, machine.subdir()) if lock is not None else ()
        with _private_folder(workshop) as folder:
            if lock is not None:
                archives.check_local(locked, lock.parent)
                file = _write_list(locked, folder / "packages.txt")
                argv = self._from_list(file, workshop.place)
            else:
                file = _write_conda_yaml(request, folder / "environment.yaml")
                argv = self._from_file(file, workshop.place)
            doing = f"make an environment with {self.program}"
            with (
                package_cache.turn(self._package_cache(request), workshop) as own,
                step(own.report, f"{self.kind} solves and installs"),
            ):
                own.run(argv, doing, _variables(own.variables), explain=_explained)
        archives.check(workshop.place, locked)
        return notes

    def _package_cache(self, request: CondaRequest) -> Path:
        """Return the package cache that the program writes to, as far as that is known."""
        root = settings.installation(self.program)
        return package_cache.folder(request.settings.pkgs_dirs, root, os.environ)

    def _from_file(self, file: Path, prefix: Path) -> Sequence[str | Path]:
        if self.kind == "micromamba":
            return [self.program, "create", "-p", prefix, "-f", file, "-y", "--json"]
        return [self.program, "env", "create", "-p", prefix, "-f", file, "--json"]

    def _from_list(self, file: Path, prefix: Path) -> Sequence[str | Path]:
        return [self.program, "create", "-p", prefix, "--file", file, "-y", "--json"]


def find(named: str | Path | None, environ: Variables) -> External | None:
    """Find the program to use; None when there is none, or when `embedded` is named.

    It is the one named, else ENVKIT_CONDA_EXE, MLflow's MLFLOW_CONDA_HOME, else the first on the
    PATH. Raises `ToolNotFound` for a named one that cannot be started.
    """
    chosen = named or environ.get(VARIABLE) or _of_mlflow(environ)
    if not chosen:
        return _first_on_path(environ)
    if str(chosen) == EMBEDDED:
        return None
    if os.sep in str(chosen):
        chosen = Path(chosen).expanduser()
    program = shutil.which(chosen, path=environ.get("PATH", ""))
    if program is None:
        raise ToolNotFound(
            str(chosen),
            f"Name conda, mamba or micromamba by its path, or `{EMBEDDED}` for none of them.",
        )
    return External(Path(program).absolute())


def _of_mlflow(environ: Variables) -> Path | None:
    home = environ.get(MLFLOW_VARIABLE)
    if not home:
        return None
    return Path(home, "bin", "conda")


def _first_on_path(environ: Variables) -> External | None:
    for name in _NAMES:
        program = shutil.which(name, path=environ.get("PATH", ""))
        if program is not None:
            return External(Path(program).absolute())
    return None


@contextmanager
def _private_folder(workshop: Workshop) -> Iterator[Path]:
    """Make a private folder outside of the environment: conda refuses a prefix that exists.

    It is the same each time, so the next build of this environment removes what a killed one left.
    """
    folder = workshop.cache / "papers" / workshop.place.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _variables(variables: Variables) -> dict[str, str]:
    set_ = dict(_OF_CONDA)
    for name, value in _OF_ALL.items():
        set_[f"CONDA_{name}"] = value
        set_[f"MAMBA_{name}"] = value
    if "CI" not in variables:
        set_["CI"] = "1"
    return set_


def _write_conda_yaml(request: CondaRequest, path: Path) -> Path:
    """Write the request for conda, with the names of channels as the model has them.

    conda resolves them with its own settings, which need not know their URLs.
    """
    channels = []
    for name in request.named:
        if name.startswith("."):
            channels.append((request.directory / name).resolve().as_uri())
        else:
            channels.append(name)
    if not channels:
        channels = [channel.url for channel in request.channels]
    content = CondaEnv(channels=tuple(channels), dependencies=request.named_specs)
    _write(path, conda_yaml.dumps(content))
    return path


def _explained(doing: str, output: str) -> BuildFailed | None:
    """Return the error that the program's JSON describes; None where there is none."""
    errors = conda_json.errors(output)
    if not errors:
        return None
    text = "\n".join(map(str, errors))
    if all(error.is_unsolvable for error in errors):
        missing = tuple(package for error in errors for package in error.packages)
        return Unsolvable(doing, text, missing)
    return BuildFailed(doing, text)


def _write_list(packages: Iterable[LockedCondaPackage], path: Path) -> Path:
    lines = ["@EXPLICIT", *(package.explicit for package in packages)]
    _write(path, "".join(f"{line}\n" for line in lines))
    return path


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
