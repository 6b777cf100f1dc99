"""Conda environments through the user's conda, mamba or micromamba.

https://docs.conda.io/projects/conda/en/stable/commands/env/create.html and
https://mamba.readthedocs.io/en/latest/user_guide/micromamba.html. Nothing is activated and no shell is started.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envkit.child.progress import step
from envkit.environments import local_files
from envkit.environments.conda.embedded import usable_lock
from envkit.environments.conda.needs import CondaNeeds, subdir
from envkit.environments.installers.installer import Workshop
from envkit.environments.local_files import path_of_url
from envkit.errors import BuildFailed, ToolNotFound
from envkit.formats import conda_yaml, pixi_lock
from envkit.formats.conda_yaml import CondaEnv

VARIABLE = "ENVKIT_CONDA_EXE"
MLFLOW_VARIABLE = "MLFLOW_CONDA_HOME"
EMBEDDED = "embedded"
_NAMES = ("conda", "mamba", "micromamba")

# Asked for by variables, which every version knows: files are copied, so that no environment
# reaches the cache; no
# question is asked; and nothing is written into the home but downloads.
_VARIABLES = {
    "ALWAYS_COPY": "true",
    "ALWAYS_YES": "true",
    "CHANNEL_PRIORITY": "strict",
    "EXTRA_SAFETY_CHECKS": "true",
}
_OF_CONDA = {
    "CONDA_AUTO_UPDATE_CONDA": "false",
    "CONDA_JSON": "false",
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
        """`conda`, `mamba` or `micromamba`, by the program's name; what is called otherwise is taken for conda."""
        return next((name for name in reversed(_NAMES) if name in self.program.name), "conda")

    def create(self, needs: CondaNeeds, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`; gives notes for the user."""
        lock, notes = usable_lock(needs)
        with _papers(workshop) as folder:
            if lock is not None:
                _check_archives(lock)
                argv = self._from_list(_list(lock, folder / "packages.txt"), workshop.place)
            else:
                argv = self._from_file(_file(needs, folder / "environment.yaml"), workshop.place)
            with step(workshop.report, f"{self.kind} solves and installs"):
                workshop.run(
                    argv, f"make an environment with {self.program}", _variables(workshop.variables)
                )
        return notes

    def _from_file(self, file: Path, prefix: Path) -> Sequence[str | Path]:
        if self.kind == "micromamba":
            return [self.program, "create", "-p", prefix, "-f", file, "-y"]
        return [self.program, "env", "create", "-p", prefix, "-f", file]

    def _from_list(self, file: Path, prefix: Path) -> Sequence[str | Path]:
        return [self.program, "create", "-p", prefix, "--file", file, "-y"]


def find(named: str | Path | None, environ: Mapping[str, str]) -> External | None:
    """Give the program to use: the one named, else ENVKIT_CONDA_EXE, MLflow's MLFLOW_CONDA_HOME, else the PATH's first.

    None when there is none, or when `embedded` is named. Raises `ToolNotFound` for a named one that
    cannot be started.
    """
    home = environ.get(MLFLOW_VARIABLE)
    chosen = named or environ.get(VARIABLE) or (Path(home, "bin", "conda") if home else None)
    if chosen is None:
        found = (shutil.which(name, path=environ.get("PATH", "")) for name in _NAMES)
        program = next((each for each in found if each is not None), None)
        if program is not None:
            return External(Path(program).absolute())
        return None
    if str(chosen) == EMBEDDED:
        return None
    program = shutil.which(
        Path(chosen).expanduser() if os.sep in str(chosen) else chosen, path=environ.get("PATH", "")
    )
    if program is None:
        raise ToolNotFound(
            str(chosen),
            f"Name conda, mamba or micromamba by its path, or `{EMBEDDED}` for none of them.",
        )
    return External(Path(program).absolute())


@contextmanager
def _papers(workshop: Workshop) -> Iterator[Path]:
    """Give a private folder beside the environment, since conda wants no prefix that is there already.

    It is the same each time: what a killed build leaves, the next one of this environment removes.
    """
    folder = workshop.cache / "papers" / workshop.place.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _variables(variables: Mapping[str, str]) -> dict[str, str]:
    of_both = {
        f"{who}_{name}": value for who in ("CONDA", "MAMBA") for name, value in _VARIABLES.items()
    }
    return {**of_both, **_OF_CONDA, **({"CI": "1"} if "CI" not in variables else {})}


def _file(needs: CondaNeeds, path: Path) -> Path:
    """Write what conda reads: names as the model has them, since conda has its own settings for them."""
    local = {
        each: (needs.directory / each).resolve().as_uri()
        for each in needs.named
        if each.startswith(".")
    }
    named = tuple(local.get(each, each) for each in needs.named) or tuple(
        each.url for each in needs.channels
    )
    _write(path, conda_yaml.dumps(CondaEnv(channels=named, dependencies=needs.specs)))
    return path


def _check_archives(lock: Path) -> None:
    """Compare archives of `file:` channels with the lock: conda checks those that it downloads, by their md5."""
    for each in pixi_lock.read(lock, subdir()):
        path = path_of_url(each.url, lock.parent)
        if path is None or not each.sha256:
            continue
        try:
            found = local_files.digest(path)
        except OSError as error:
            raise BuildFailed("read a conda package", f"{path}: {error.strerror}") from error
        if found != each.sha256:
            raise BuildFailed(
                "trust a conda package: its archive is not the one that was named",
                f"{path} has sha256 {found}, and {each.sha256} is expected",
            )


def _list(lock: Path, path: Path) -> Path:
    lines = ["@EXPLICIT", *(each.explicit for each in pixi_lock.read(lock, subdir()))]
    _write(path, "".join(f"{line}\n" for line in lines))
    return path


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
