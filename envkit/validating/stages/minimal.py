"""Which requirements a model could do without: each is taken out of its environment in turn, and the prediction tried.

The environment is built in the store and copied once, to the folder for temporary files. From the
copy the files of one requirement are moved away, with those of all that nothing else there
requires; then the model answers its example and the files are moved back. So what is tried is an
environment in which that package really is not, and the whole costs one copy, and one prediction
for each requirement. At the end all that is not needed is left out together.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from envkit.child.sandbox import Confinement, confinement
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.errors import InvalidArgument, InvalidFile, PredictionFailed
from envkit.installed.closure import Closures
from envkit.installed.distributions import Distribution, InstalledDistributions
from envkit.interpreters.describe import describe
from envkit.models.directory import ModelDirectory
from envkit.validating.options import Demands
from envkit.validating.stages import rebuild
from envkit.validating.stages.answers import compare

if TYPE_CHECKING:
    from envkit.validating.files.facts import ModelFacts

MANAGERS = (EnvType.UV, EnvType.VIRTUALENV)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One requirement, left out. brought: what went with it. why: what the model said without it, if it is needed."""

    name: str
    brought: tuple[str, ...]
    why: str
    seconds: float

    @property
    def needed(self) -> bool:
        """Whether the model does not answer, or answers otherwise, without it."""
        return bool(self.why)


@dataclass(frozen=True, kw_only=True, slots=True)
class Minimal:
    """What was tried. together: what happened without all that is not needed; empty when the answer was the same."""

    trials: tuple[Trial, ...] = ()
    together: str = ""
    seconds: float = 0.0

    @property
    def unneeded(self) -> tuple[Trial, ...]:
        """Those without which the answer is the same."""
        return tuple(each for each in self.trials if not each.needed)


def check_manager(manager: EnvType) -> None:
    """Raise `InvalidArgument` for a kind of environment of which no copy can be changed."""
    if manager not in MANAGERS:
        raise InvalidArgument(
            f"--minimal works with {' or '.join(MANAGERS)} environments, not with {manager}."
        )


def minimize(facts: ModelFacts) -> Minimal:
    """Try the model without each requirement; nothing is tried where it does not answer at all.

    Raises what `rebuilding.rebuild` raises.
    """
    done = facts.rebuilt
    if done.environment is None or not done.answered or facts.directory is None:
        return Minimal()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="envkit-minimal-") as folder:
        place = Path(folder).resolve() / "environment"
        facts.demands.tell(f"Copying {done.environment.path}")
        shutil.copytree(done.environment.path, place, symlinks=True)
        bench = _Bench.of(place, done.environment, facts.directory, facts)
        trials = tuple(bench.tried(name) for name in bench.extras if name in bench.distributions)
        unneeded = [each for each in trials if not each.needed]
        gone = [
            bench.distributions[name] for each in unneeded for name in (each.name, *each.brought)
        ]
        together = bench.why_needed(gone) if len(unneeded) > 1 else ""
    return Minimal(trials=trials, together=together, seconds=time.perf_counter() - began)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bench:
    """A copy of an environment from which packages can be taken, and the answer that the model must give in it."""

    environment: Environment
    stash: Path
    distributions: Mapping[str, Distribution]
    extras: Mapping[str, frozenset[str]]
    closures: Closures
    model: ModelDirectory
    demands: Demands
    confined: Confinement | None
    answer: Any

    @classmethod
    def of(cls, place: Path, of: Environment, model: ModelDirectory, facts: ModelFacts) -> _Bench:
        copy = replace(of, path=place, python=place / of.python.relative_to(of.path), key="")
        interpreter = describe(copy.python)
        installed = InstalledDistributions(
            [each for each in interpreter.sys_path if Path(each).is_relative_to(place)]
        )
        return cls(
            environment=copy,
            stash=place.parent / "stash",
            distributions={str(each.name): each for each in installed},
            extras=_required(facts),
            closures=Closures(installed, interpreter.markers),
            model=model,
            demands=facts.demands,
            confined=confinement(facts.demands.sandbox),
            answer=facts.rebuilt.answer,
        )

    def tried(self, name: str) -> Trial:
        """Try the model without a requirement and what only it brings."""
        began = time.perf_counter()
        brought = sorted(self._only_by(name))
        gone = [self.distributions[each] for each in (name, *brought)]
        why = self.why_needed(gone)
        self.demands.tell(f"Without {name}: {why or 'the answer is the same'}")
        return Trial(
            name=name, brought=tuple(brought), why=why, seconds=time.perf_counter() - began
        )

    def why_needed(self, gone: Iterable[Distribution]) -> str:
        """Say what happens without some distributions; nothing when the answer is the same."""
        with _without(gone, self.stash):
            try:
                answer = rebuild.answered(self.model, self.environment, self.demands, self.confined)
            except (PredictionFailed, InvalidFile) as error:
                return " ".join(str(error).split())
        found = compare(self.answer, answer, self.demands.tolerance)
        if not found:
            return ""
        return f"it answers otherwise: {found[0].text}"

    def _only_by(self, name: str) -> set[str]:
        """What is in the closure of one requirement, and in that of no other."""
        roots = {
            self.distributions[each]: extras
            for each, extras in self.extras.items()
            if each in self.distributions
        }
        mine = {each: extras for each, extras in roots.items() if each.name == name}
        others = {each: extras for each, extras in roots.items() if each.name != name}
        return {
            str(each.name)
            for each in self.closures.of(mine) - self.closures.of(others)
            if each.name != name
        }


def _required(facts: ModelFacts) -> Mapping[str, frozenset[str]]:
    """The required names, each with its extras, in the order of the lines."""
    found: dict[str, frozenset[str]] = {}
    for line in facts.requirements.lines:
        if line.name is not None and not line.constraint:
            extras = map(canonicalize_name, line.parsed.extras if line.parsed else ())
            found[line.name] = found.get(line.name, frozenset()) | frozenset(extras)
    return found


@contextmanager
def _without(gone: Iterable[Distribution], stash: Path) -> Iterator[None]:
    """Move the files of distributions away while the block runs, and the folders that they leave empty.

    A folder without its modules would still be imported, as a namespace package.
    """
    stash.mkdir()
    moved: list[tuple[Path, Path]] = []
    folders: set[Path] = set()
    try:
        for each in gone:
            for path in _files(each):
                moved.append((path, stash / str(len(moved))))
                path.rename(moved[-1][1])
                folders.add(path.parent)
        moved += _emptied(folders, stash, len(moved))
        yield
    finally:
        for path, place in reversed(moved):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():  # what the model wrote there meanwhile, such as bytecode
                shutil.rmtree(path)
            place.rename(path)
        shutil.rmtree(stash)


def _files(distribution: Distribution) -> Iterator[Path]:
    """What its records list, and bytecode of it, that is there; nothing outside the environment's own folders."""
    site = distribution.folder.parent
    prefix = site.parents[2]
    listed = {
        *distribution.record,
        *(f"{distribution.folder.name}/{name}" for name in ("RECORD", "INSTALLER")),
    }
    for name in sorted(listed):
        path = (site / name).resolve()
        if path.is_relative_to(prefix) and path.is_file():
            yield path
            if path.suffix == ".py":
                yield from path.parent.glob(f"__pycache__/{path.stem}.*.pyc")


def _emptied(folders: Iterable[Path], stash: Path, number: int) -> list[tuple[Path, Path]]:
    """Move away the folders that hold nothing but bytecode, from the innermost outward."""
    moved: list[tuple[Path, Path]] = []
    waiting = sorted(folders, key=lambda each: len(each.parts))
    while waiting:
        folder = waiting.pop()
        if folder.name == "site-packages" or not folder.is_dir():
            continue
        if all(each.name == "__pycache__" for each in folder.iterdir()):
            moved.append((folder, stash / str(number + len(moved))))
            folder.rename(moved[-1][1])
            waiting.append(folder.parent)
    return moved
