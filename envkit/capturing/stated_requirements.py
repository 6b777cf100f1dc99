"""Requirements that the author of a model states, instead of what was seen or in addition to it.

What is stated is written as it stands. If the traced interpreter has a version that fits, that
version and what it implies are pinned as constraints. If it has none, nothing more is known of it,
and there is no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from envkit.capturing.requirements import NO_EXTRAS, SelectedDistribution, Selection
from envkit.errors import InvalidArgument
from envkit.formats import conda_yaml, requirements_txt
from envkit.formats.credentials import placeholders
from envkit.formats.document import dump_yaml
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.formats.requirements_txt import RequirementsFile
from envkit.formats.text import read_text
from envkit.installed.closure import Closures, Roots
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.locking.lock import Unlocked
from envkit.locking.pins import pin
from envkit.models.capture_warnings import CaptureWarning, WarningKind

Lines = str | Path | Sequence[str]
CondaEnv = str | Path | Mapping[str, Any]
NO_LINES = RequirementsFile()


@dataclass(frozen=True, kw_only=True, slots=True)
class StatedRequirements:
    """What the author states.

    Attributes:
        file: The lines, with those of files that they refer to.
        instead: Whether they replace what was seen.
        conda: The text of `conda.yaml`.
        python: The version that it names.
    """

    file: RequirementsFile = NO_LINES
    instead: bool = False
    conda: str | None = None
    python: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stated."""
        return self == StatedRequirements()


def read(
    requirements: Lines | None,
    extra_requirements: Lines | None,
    conda_env: CondaEnv | None,
) -> StatedRequirements:
    """Read what is stated in at most one of three ways.

    Raises `InvalidArgument` for several of them, `InvalidFile` for invalid lines.
    """
    ways = {
        "conda_env": conda_env,
        "requirements": requirements,
        "extra_requirements": extra_requirements,
    }
    stated = [name for name, value in ways.items() if value is not None]
    if len(stated) > 1:
        raise InvalidArgument(
            f"Give only one of {' and '.join(stated)}: each says what the model's environment is."
        )
    if conda_env is not None:
        return _of_conda(conda_env)
    if requirements is not None:
        return StatedRequirements(file=_lines(requirements, "pip_requirements"), instead=True)
    if extra_requirements is not None:
        return StatedRequirements(file=_lines(extra_requirements, "extra_pip_requirements"))
    return StatedRequirements()


def _lines(stated: Lines, name: str) -> RequirementsFile:
    if isinstance(stated, str | Path):
        path = Path(stated).expanduser()
        if not path.is_file():
            raise InvalidArgument(
                f"{name} must be a list of lines or the path of a file, but there is no file "
                f"{stated}."
            )
        file = requirements_txt.read(path)
    else:
        lines = list(stated)
        if not all(isinstance(line, str) for line in lines):
            raise InvalidArgument(
                f"{name} must be a list of texts or the path of a file, not {stated!r}."
            )
        file = requirements_txt.follow("\n".join(lines), Path.cwd() / name)
    for requirement in (*file.requirements, *file.constraints):
        _check(requirement, name)
    return _without_secrets(file)


def _without_secrets(file: RequirementsFile) -> RequirementsFile:
    """Put placeholders in the place of credentials, so that no file of the model holds them."""

    def safe(requirement: Requirement) -> Requirement:
        return replace(requirement, text=placeholders(requirement.text))

    def safe_option(option: Option) -> Option:
        if option.value is None:
            return option
        return replace(option, value=placeholders(option.value))

    return replace(
        file,
        requirements=tuple(map(safe, file.requirements)),
        constraints=tuple(map(safe, file.constraints)),
        options=tuple(map(safe_option, file.options)),
    )


def _check(requirement: Requirement, name: str) -> None:
    if requirement.path is not None or requirement.editable:
        raise InvalidArgument(
            f"{name}: {requirement} is a path, which exists only on this machine. Name the "
            "installed distribution instead: the capture then builds a wheel for the model."
        )
    if not requirement.is_valid:
        raise InvalidArgument(f"{name}: {requirement} is not a requirement.")
    if requirement.options:
        raise InvalidArgument(
            f"{name}: {requirement} has options ({', '.join(requirement.options)}) that only pip "
            "knows. Leave them out, and install a wheel that was built with them."
        )


def _of_conda(stated: CondaEnv) -> StatedRequirements:
    if isinstance(stated, Mapping):
        text, path = dump_yaml(dict(stated)), Path("conda_env")
    elif isinstance(stated, str | Path):
        path = Path(stated).expanduser()
        if not path.is_file():
            raise InvalidArgument(
                f"conda_env must be a dict or the path of a file, but there is no file {stated}."
            )
        text = read_text(path)
    else:
        raise InvalidArgument(f"conda_env must be a dict or the path of a file, not {stated!r}.")
    text = placeholders(text)
    env = conda_yaml.parse(text, path)
    file = requirements_txt.follow("\n".join(env.pip or ()), path.absolute())
    return StatedRequirements(
        # also that of files which the pip section refers to
        file=_without_secrets(file),
        instead=True,
        conda=text,
        python=conda_yaml.python_version(env, path),
    )


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What is stated, together with what was captured.

    Attributes:
        stated: What is stated.
        selection: What the environment then holds of what is installed.
        fitting: The installed distributions that satisfy what is stated, by name.
        unused: Captured requirements that are not in the environment any more.
    """

    stated: StatedRequirements = field(default_factory=StatedRequirements)
    selection: Selection
    fitting: Mapping[NormalizedName, Distribution] = field(default_factory=dict)
    unused: tuple[SelectedDistribution, ...] = ()

    @cached_property
    def _required(self) -> Mapping[NormalizedName, Requirement]:
        return _by_name(self.stated.file.requirements)

    @cached_property
    def _constrained(self) -> Mapping[NormalizedName, Requirement]:
        return _by_name(self.stated.file.constraints)

    def requirements(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """The lines of `requirements.txt`: what is stated, and the pins of other names."""
        if self.stated.is_empty:
            return tuple(pins)
        others = [line for line in pins if line.name not in self._required]
        return _sorted((*others, *self.stated.file.requirements))

    def constraints(self, pins: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """The lines of `constraints.txt`: what is stated, and pins of other names.

        They include what is stated as a requirement without the version that is installed.
        """
        open_pins = [
            pin(distribution)
            for name, distribution in self.fitting.items()
            if not _admits_only(self._required[name], distribution)
        ]
        others = [line for line in (*pins, *open_pins) if line.name not in self._constrained]
        return _sorted((*others, *self.stated.file.constraints))

    @property
    def unlocked(self) -> Unlocked | None:
        """Why there can be no lock, if so: what is not installed has no known closure."""
        missing = [line for name, line in self._required.items() if name not in self.fitting]
        nameless = [line for line in self.stated.file.requirements if line.name is None]
        lines = sorted(set(map(str, (*missing, *nameless, *self._violated()))))
        if not lines:
            return None
        reason = f"what is stated is not what is installed ({', '.join(lines)})"
        return Unlocked(reasons=(reason,))

    def _violated(self) -> Iterator[Requirement]:
        """The stated constraints that what is installed does not satisfy."""
        for distribution in self.selection.distributions:
            line = self._constrained.get(distribution.name)
            if line is not None and not _satisfies(distribution, line):
                yield line

    def warnings(self) -> Iterator[CaptureWarning]:
        """Yield what the model used that the stated requirements do not bring."""
        for selected in self.unused:
            name, version = selected.distribution.name, selected.distribution.version
            detail = f"the model used {name} {version}, which the stated requirements do not bring"
            yield CaptureWarning(kind=WarningKind.NOT_STATED, subject=name, detail=detail)


def declared(
    stated: StatedRequirements,
    selection: Selection,
    installed: InstalledDistributions,
    markers: Mapping[str, str],
) -> Declared:
    """Replace what was captured with what is stated, or add that to it."""
    if stated.is_empty:
        return Declared(selection=selection)
    required = _by_name(stated.file.requirements)
    fitting = _fitting(required, installed)
    roots: Roots = {}
    if not stated.instead:
        roots = {
            selected.distribution: selected.extras
            for selected in selection.requirements
            if selected.distribution.name not in required
        }
    for name, distribution in fitting.items():
        extras = frozenset(map(canonicalize_name, required[name].extras))
        roots = {**roots, distribution: extras}
    closures = Closures(installed, markers)
    closure = closures.of(roots)

    all_fit = len(fitting) == len(stated.file.requirements)
    constraints = set(closure)
    unused: tuple[SelectedDistribution, ...] = ()
    if stated.instead and all_fit:
        unused = tuple(
            selected for selected in selection.requirements if selected.distribution not in closure
        )
    else:
        # what does not fit may need any of what was seen
        constraints |= {
            distribution
            for distribution in selection.distributions
            if distribution.name not in required
        }
    return Declared(
        stated=stated,
        selection=replace(
            selection,
            requirements=_selected(roots, roots, selection),
            constraints=_selected(constraints - roots.keys(), {}, selection),
            unmet=closures.unmet(roots),
        ),
        fitting=fitting,
        unused=unused,
    )


def _fitting(
    required: Mapping[NormalizedName, Requirement], installed: InstalledDistributions
) -> dict[NormalizedName, Distribution]:
    """The installed distributions that satisfy the requirements."""
    fitting = {}
    for name, line in required.items():
        distribution = installed.named(name)
        if distribution is not None and _satisfies(distribution, line):
            fitting[name] = distribution
    return fitting


def _selected(
    distributions: Iterable[Distribution],
    extras: Roots,
    selection: Selection,
) -> tuple[SelectedDistribution, ...]:
    """Describe distributions as they were captured, if they were, with these extras."""
    captured = {
        selected.distribution: selected for selected in (*selection.optional, *selection.needed)
    }
    selected = []
    for distribution in sorted(distributions, key=lambda distribution: distribution.name):
        known = captured.get(distribution, SelectedDistribution(distribution=distribution))
        selected.append(replace(known, extras=extras.get(distribution, NO_EXTRAS)))
    return tuple(selected)


def _by_name(lines: Iterable[Requirement]) -> dict[NormalizedName, Requirement]:
    return {canonicalize_name(line.name): line for line in lines if line.name is not None}


def _satisfies(distribution: Distribution, line: Requirement) -> bool:
    """Whether an installed distribution satisfies a requirement; False if it names a URL."""
    if line.pep508 is None or line.url is not None:
        return False
    return line.specifier.contains(distribution.version, prereleases=True)


def _admits_only(line: Requirement, distribution: Distribution) -> bool:
    """Whether the requirement alone admits no other version."""
    if line.pep508 is None:
        return False
    return str(line.specifier) == f"=={distribution.version}"


def _sorted(lines: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Sort requirements by name; equal lines become one."""
    by_text = {str(line): line for line in lines}
    return tuple(sorted(by_text.values(), key=_order))


def _order(line: Requirement) -> tuple[str, str]:
    text = str(line)
    return line.name or canonicalize_name(text), text
