"""Requirements that the author of a model states: in the place of those that were seen, or in addition to them.

What is stated is written as it stands. Where the traced interpreter has a version that fits, that
version and what it implies are pinned as constraints; where it has none, nothing is known of it,
and there is no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from envkit.capturing.requirements import Needed, Selection
from envkit.errors import InvalidArgument
from envkit.formats import conda_yaml, requirements_txt
from envkit.formats.document import dump_yaml
from envkit.formats.requirement import Requirement
from envkit.formats.requirements_txt import RequirementsFile
from envkit.formats.text import read_text
from envkit.installed.closure import Closures
from envkit.installed.distributions import Distribution, InstalledDistributions
from envkit.locking.lock import Unlocked
from envkit.locking.pins import pin
from envkit.models.capture_warnings import CaptureWarning, WarningKind

Lines = str | Path | Sequence[str]
CondaEnv = str | Path | Mapping[str, Any]
_NONE = RequirementsFile()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What the author states.

    file: the lines, with what their `-r` and `-c` lead to. instead: they replace what was seen.
    conda: the text of `conda.yaml`. python: the version that it names.
    """

    file: RequirementsFile = _NONE
    instead: bool = False
    conda: str | None = None
    python: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stated."""
        return self == Wish()


def wish(
    requirements: Lines | None, extra_requirements: Lines | None, conda_env: CondaEnv | None
) -> Wish:
    """Read what is stated; at most one of the three is.

    Raises `InvalidArgument` for several of them, `InvalidFile` for lines that are none.
    """
    given = {
        "conda_env": conda_env,
        "requirements": requirements,
        "extra_requirements": extra_requirements,
    }
    stated = [name for name, value in given.items() if value is not None]
    if len(stated) > 1:
        raise InvalidArgument(
            f"Give only one of {' and '.join(stated)}: each says what the model's environment is."
        )
    if conda_env is not None:
        return _of_conda(conda_env)
    if requirements is not None:
        return Wish(file=_read(requirements, "pip_requirements"), instead=True)
    if extra_requirements is not None:
        return Wish(file=_read(extra_requirements, "extra_pip_requirements"))
    return Wish()


def _read(given: Lines, name: str) -> RequirementsFile:
    if isinstance(given, str | Path):
        path = Path(given).expanduser()
        if not path.is_file():
            raise InvalidArgument(
                f"{name} is a list of lines, or the path of a file; there is no file {given}."
            )
        found = requirements_txt.read(path)
    else:
        lines = list(given)
        if not all(isinstance(each, str) for each in lines):
            raise InvalidArgument(
                f"{name} is a list of texts, or the path of a file, not {given!r}."
            )
        found = requirements_txt.follow("\n".join(lines), Path.cwd() / name)
    for each in (*found.requirements, *found.constraints):
        _check(each, name)
    return found


def _check(line: Requirement, name: str) -> None:
    if line.path is not None or line.editable:
        raise InvalidArgument(
            f"{name}: {line} is a path of this machine, which nobody else has. Name the installed distribution: "
            "a wheel of it goes with the model."
        )
    if not line.is_valid:
        raise InvalidArgument(f"{name}: {line} is not a requirement.")


def _of_conda(given: CondaEnv) -> Wish:
    if isinstance(given, Mapping):
        text, path = dump_yaml(dict(given)), Path("conda_env")
    elif isinstance(given, str | Path):
        path = Path(given).expanduser()
        if not path.is_file():
            raise InvalidArgument(
                f"conda_env is a dict, or the path of a file; there is no file {given}."
            )
        text = read_text(path)
    else:
        raise InvalidArgument(f"conda_env is a dict, or the path of a file, not {given!r}.")
    env = conda_yaml.parse(text, path)
    lines = requirements_txt.follow("\n".join(env.pip or ()), path.absolute())
    return Wish(file=lines, instead=True, conda=text, python=conda_yaml.python_version(env, path))


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What is stated, seen beside what was captured.

    selection: what the environment holds then, as far as it is installed. fitting: names of those
    stated that are. unused: what was captured and is not in the environment any more.
    """

    wish: Wish = field(default_factory=Wish)
    selection: Selection
    fitting: Mapping[NormalizedName, Distribution] = field(default_factory=dict)
    unused: tuple[Needed, ...] = ()

    @cached_property
    def _lines(self) -> dict[NormalizedName, Requirement]:
        return _by_name(self.wish.file.requirements)

    def requirements(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """The lines of `requirements.txt`: what is stated, and of the pins those of other names."""
        if self.wish.is_empty:
            return tuple(pins)
        kept = [each for each in pins if each.name not in self._lines]
        return _sorted((*kept, *self.wish.file.requirements))

    def constraints(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """The lines of `constraints.txt`: those stated, pins of other names, and of what is stated without a pin."""
        stated = _by_name(self.wish.file.constraints)
        lines = [
            *pins,
            *(
                pin(each)
                for name, each in self.fitting.items()
                if _is_open(self._lines[name], each)
            ),
        ]
        kept = [each for each in lines if each.name not in stated]
        return _sorted((*kept, *self.wish.file.constraints))

    @property
    def unlocked(self) -> Unlocked | None:
        """Why there can be no lock, if so: something that is not installed here has no known closure."""
        missing = [str(each) for name, each in self._lines.items() if name not in self.fitting]
        nameless = [str(each) for each in self.wish.file.requirements if each.name is None]
        other = [str(each) for each in self._unfulfilled]
        lines = sorted({*missing, *nameless, *other})
        reason = f"what is asked for is not what is installed ({', '.join(lines)})"
        if lines:
            return Unlocked(reasons=(reason,))
        return None

    @property
    def _unfulfilled(self) -> Iterator[Requirement]:
        """Constraints that what is installed does not keep."""
        held = {each.distribution.name: each.distribution for each in self.selection.needed}
        for name, line in _by_name(self.wish.file.constraints).items():
            if name in held and not _fits(line, held[name]):
                yield line

    def warnings(self) -> Iterator[CaptureWarning]:
        """Tell of what the model used that the stated requirements do not bring."""
        for each in self.unused:
            name = each.distribution.name
            detail = f"the model used {name} {each.distribution.version}, which the stated requirements do not bring"
            yield CaptureWarning(kind=WarningKind.NOT_STATED, subject=name, detail=detail)


def declared(
    stated: Wish,
    selection: Selection,
    installed: InstalledDistributions,
    markers: Mapping[str, str],
) -> Declared:
    """Put what is stated in the place of what was captured, or beside it."""
    if stated.is_empty:
        return Declared(selection=selection)
    lines = _by_name(stated.file.requirements)
    found = {name: installed.named(name) for name in lines}
    fitting = {
        name: each for name, each in found.items() if each is not None and _fits(lines[name], each)
    }
    seen = {each.distribution: each.extras for each in selection.requirements}
    if stated.instead:
        kept = {}
    else:
        kept = {each: extras for each, extras in seen.items() if each.name not in lines}
    roots = kept | {each: _extras(lines[name]) for name, each in fitting.items()}
    closures = Closures(installed, markers)
    closure = closures.of(roots)
    unknown = len(fitting) < len(stated.file.requirements)
    others = {each.distribution for each in selection.needed} - closure
    if unknown or not stated.instead:
        others = {each for each in others if each.name not in lines}
    else:
        others = set()
    unused: tuple[Needed, ...] = ()
    if not unknown:
        unused = tuple(each for each in selection.requirements if each.distribution not in closure)
    return Declared(
        wish=stated,
        selection=replace(
            selection,
            requirements=_needed(roots, roots, selection),
            constraints=_needed((closure | others) - roots.keys(), {}, selection),
            unmet=closures.unmet(roots),
        ),
        fitting=fitting,
        unused=unused if stated.instead else (),
    )


def _needed(
    every: Iterable[Distribution],
    extras: Mapping[Distribution, frozenset[str]],
    selection: Selection,
) -> tuple[Needed, ...]:
    known = {each.distribution: each for each in (*selection.optional, *selection.needed)}
    found = (
        replace(known.get(each, Needed(distribution=each)), extras=extras.get(each, frozenset()))
        for each in every
    )
    return tuple(sorted(found, key=lambda each: each.distribution.name))


def _by_name(lines: Iterable[Requirement]) -> dict[NormalizedName, Requirement]:
    return {canonicalize_name(each.name): each for each in lines if each.name is not None}


def _fits(line: Requirement, distribution: Distribution) -> bool:
    """Whether the installed distribution satisfies the requirement; for a URL that is unknown."""
    if line.pep508 is None or line.url is not None:
        return False
    return line.specifier.contains(distribution.version, prereleases=True)


def _is_open(line: Requirement, distribution: Distribution) -> bool:
    """Whether the requirement alone would admit another version."""
    return line.pep508 is None or str(line.specifier) != f"=={distribution.version}"


def _extras(line: Requirement) -> frozenset[str]:
    return frozenset(map(canonicalize_name, line.extras))


def _sorted(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Sort requirements by name; equal lines become one."""
    by_line = {str(requirement): requirement for requirement in requirements}
    return tuple(sorted(by_line.values(), key=lambda each: (_name(each), str(each))))


def _name(requirement: Requirement) -> str:
    return requirement.name or canonicalize_name(str(requirement))
