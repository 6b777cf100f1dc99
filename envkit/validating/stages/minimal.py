"""Which requirements a model can do without: each is left out of its environment in turn.

The environment is built in the store and copied once, to the folder for temporary files. From the
copy, the files of one requirement are moved away, with those of everything that only it requires;
the model answers its example; then the files are moved back. So the package is really absent, and
the whole costs one copy, and one prediction for each requirement. At the end, everything that is
not needed is left out together.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from envkit.child.sandbox import Confinement, confinement
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.errors import InvalidArgument, InvalidFile, PredictionFailed
from envkit.installed.closure import Closures
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.models.directory import ModelDirectory
from envkit.validating.files.facts import ModelFacts
from envkit.validating.options import StageOptions
from envkit.validating.stages.answers import compare
from envkit.validating.stages.rebuild import Rebuilt, answer_example

MANAGERS = (EnvType.UV, EnvType.VIRTUALENV)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One requirement, left out.

    brought: what only it requires, left out too.
    why: what the model said without it, if it is needed.
    """

    name: str
    brought: tuple[str, ...]
    why: str

    @property
    def is_needed(self) -> bool:
        """Whether the model does not answer, or gives another answer, without it."""
        return bool(self.why)


@dataclass(frozen=True, kw_only=True, slots=True)
class Minimal:
    """The trials.

    is_tried: whether the model answers in its whole environment, so that anything could be left
        out.
    together: what happened without everything that is not needed; empty for the same answer.
    """

    is_tried: bool = False
    trials: tuple[Trial, ...] = ()
    together: str = ""
    seconds: float = 0.0

    @property
    def unneeded(self) -> tuple[Trial, ...]:
        """The requirements without which the answer is the same."""
        return tuple(trial for trial in self.trials if not trial.is_needed)


def check_manager(manager: EnvType) -> None:
    """Raise `InvalidArgument` for a kind of environment whose copies cannot be changed."""
    if manager not in MANAGERS:
        raise InvalidArgument(
            f"--minimal works with {' or '.join(MANAGERS)} environments, not with {manager}."
        )


def minimize(facts: ModelFacts, rebuilt: Rebuilt, options: StageOptions) -> Minimal:
    """Try the model without each requirement; nothing is tried where it does not answer at all."""
    environment = rebuilt.environment
    if environment is None or not rebuilt.answered:
        return Minimal()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="envkit-minimal-") as folder:
        workbench = _Workbench.set_up(
            Path(folder).resolve(),
            environment=environment,
            facts=facts,
            answer=rebuilt.answer,
            options=options,
        )
        trials = tuple(map(workbench.try_without, workbench.requirements))
        unneeded = [trial for trial in trials if not trial.is_needed]
        together = ""
        if len(unneeded) > 1:
            names: list[str] = []
            for trial in unneeded:
                names += (trial.name, *trial.brought)
            together = workbench.why_needed(names)
    return Minimal(
        is_tried=True, trials=trials, together=together, seconds=time.perf_counter() - began
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Workbench:
    """A copy of an environment to take packages from, and the answer that must not change.

    requirements: the installed ones, with their extras.
    stash: a folder for the files taken.
    """

    environment: Environment
    stash: Path
    distributions: Mapping[str, Distribution]
    requirements: Mapping[str, frozenset[str]]
    closures: Closures
    model: ModelDirectory
    options: StageOptions
    confined: Confinement | None
    answer: Any

    @classmethod
    def set_up(
        cls,
        folder: Path,
        *,
        environment: Environment,
        facts: ModelFacts,
        answer: Any,
        options: StageOptions,
    ) -> _Workbench:
        """Copy the environment into a folder."""
        place = folder / "environment"
        options.say(f"Copying {environment.path}")
        shutil.copytree(environment.path, place, symlinks=True)
        python = place / environment.python.relative_to(environment.path)
        interpreter = describe(python)
        inside = [path for path in interpreter.sys_path if Path(path).is_relative_to(place)]
        installed = InstalledDistributions(inside)
        distributions = {str(each.name): each for each in installed}
        required = _required_names(facts).items()
        return cls(
            environment=replace(environment, path=place, python=python, key=""),
            stash=folder / "stash",
            distributions=distributions,
            requirements={name: extras for name, extras in required if name in distributions},
            closures=Closures(installed, interpreter.markers),
            model=facts.usable_directory(),
            options=options,
            confined=confinement(options.run.sandbox),
            answer=answer,
        )

    def try_without(self, name: str) -> Trial:
        """Try the model without a requirement and what only it requires."""
        brought = tuple(sorted(self._required_only_by(name)))
        why = self.why_needed((name, *brought))
        self.options.say(f"Without {name}: {why or 'the answer is the same'}")
        return Trial(name=name, brought=brought, why=why)

    def why_needed(self, names: Iterable[str]) -> str:
        """Say what happens without some distributions; nothing when the answer is the same."""
        distributions = [self.distributions[name] for name in names]
        with _without(distributions, self.stash):
            try:
                answer = answer_example(
                    self.model, self.environment, self.options.run, self.confined
                )
            except (PredictionFailed, InvalidFile) as error:
                return " ".join(str(error).split())
        differences = compare(self.answer, answer, self.options.tolerance)
        if not differences:
            return ""
        return f"the answer differs: {differences[0].text}"

    def _required_only_by(self, name: str) -> set[str]:
        """What is in the closure of one requirement, and in that of no other."""
        own = {self.distributions[name]: self.requirements[name]}
        others = {
            self.distributions[other]: extras
            for other, extras in self.requirements.items()
            if other != name
        }
        needed_by_others = self.closures.of(others)
        only = {str(each.name) for each in self.closures.of(own) - needed_by_others}
        return only - {name}


def _required_names(facts: ModelFacts) -> Mapping[str, frozenset[str]]:
    """The required names, each with its extras, in the order of the lines."""
    names: dict[str, frozenset[str]] = {}
    for line in facts.requirements.lines:
        if line.name is None or line.constraint:
            continue
        extras = line.parsed.extras if line.parsed else ()
        known = names.get(line.name, frozenset())
        names[line.name] = known.union(map(canonicalize_name, extras))
    return names


@contextmanager
def _without(distributions: Iterable[Distribution], stash: Path) -> Iterator[None]:
    """Move the files of distributions away while the block runs, and the folders that become empty.

    A folder without its modules could still be imported, as a namespace package.
    """
    stash.mkdir()
    moved: list[tuple[Path, Path]] = []

    def move_away(path: Path) -> None:
        place = stash / str(len(moved))
        path.rename(place)
        moved.append((path, place))

    try:
        folders: set[Path] = set()
        for distribution in distributions:
            for path in _files_of(distribution):
                move_away(path)
                folders.add(path.parent)
        _move_empty_folders(folders, move_away)
        yield
    finally:
        for path, place in reversed(moved):
            path.parent.mkdir(parents=True, exist_ok=True)
            # what the model wrote there meanwhile, such as bytecode
            if path.is_dir():
                shutil.rmtree(path)
            place.rename(path)
        shutil.rmtree(stash)


def _files_of(distribution: Distribution) -> Iterator[Path]:
    """The files in its records, and their bytecode; nothing outside the environment."""
    site_packages = distribution.folder.parent
    prefix = site_packages.parents[2]
    metadata = distribution.folder.name
    names = {*distribution.record, f"{metadata}/RECORD", f"{metadata}/INSTALLER"}
    for name in sorted(names):
        path = (site_packages / name).resolve()
        if not path.is_relative_to(prefix) or not path.is_file():
            continue
        yield path
        if path.suffix == ".py":
            yield from path.parent.glob(f"__pycache__/{path.stem}.*.pyc")


def _move_empty_folders(folders: Iterable[Path], move_away: Callable[[Path], None]) -> None:
    """Move away the folders that hold nothing but bytecode, from the innermost outward."""
    waiting = sorted(folders, key=lambda folder: len(folder.parts))
    while waiting:
        folder = waiting.pop()
        if folder.name == "site-packages" or not folder.is_dir():
            continue
        if all(entry.name == "__pycache__" for entry in folder.iterdir()):
            move_away(folder)
            waiting.append(folder.parent)
