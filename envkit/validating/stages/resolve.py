"""What package indexes and channels say of a model's files, for each machine on which it is to run."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from envkit.errors import BuildFailed, InvalidFile, ToolNotFound
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement_lines import Requirement
from envkit.locking.query import Found, NotFound, Question, Target
from envkit.locking.relock import Asked
from envkit.locking.uv import Uv
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.validating.stages import targets
from envkit.validating.stages.targets import Place

if TYPE_CHECKING:
    from envkit.validating.files.facts import ModelFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Lack:
    """A pin, or a wheel of the model, that cannot be installed there.

    unknown: no index has such a package. unreleased: none has that version. Else it is the wheel
    that is lacking.
    """

    pin: str
    unknown: bool = False
    unreleased: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """What there is for one target.

    unread: why the files cannot be resolved at all. unasked: why the indexes did not answer.
    wheelless: what has no wheel there, by name. conflict: why no versions fit together. packages:
    those of the closure, as a lock has them, with the files that the indexes offer. pinned: the
    names that the files pin. yanked: reasons by name. conda: why conda's packages cannot be had;
    conda_unasked: why nobody could tell.
    """

    place: Place
    unread: InvalidFile | None = None
    unasked: str = ""
    wheelless: Mapping[str, Lack] = field(default_factory=dict)
    conflict: str = ""
    packages: tuple[LockedPackage, ...] = ()
    pinned: frozenset[str] = frozenset()
    yanked: Mapping[str, str] = field(default_factory=dict)
    conda: str = ""
    conda_unasked: str = ""


def resolve(facts: ModelFacts) -> tuple[Resolution, ...]:
    """Ask for each target. Raises `InvalidArgument` for a target that is none."""
    python = facts.python or ""
    wanted = [targets.parse(word, python) for word in facts.demands.targets] or [
        targets.here(python)
    ]
    try:
        if facts.directory is None or facts.escapes:
            raise InvalidFile(facts.path, "", "the model cannot be read as it is")  # noqa: TRY301 - as those below
        spec = read_spec(facts.directory)
        asked = Asked.of(spec, elsewhere=False)
        if facts.conda and facts.conda.packages:
            conda = read_spec(facts.directory, for_conda=True)
        else:
            conda = None
    except InvalidFile as error:
        return tuple(Resolution(place=each, unread=error) for each in wanted)
    return tuple(_with_conda(_of_indexes(asked, each, facts), conda, each) for each in wanted)


def files_of(package: LockedPackage) -> Mapping[str, str]:
    """The files of a locked package: name → SHA-256."""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    return {file_name(each): str(each.get("hashes", {}).get("sha256", "")) for each in files}


def file_name(file: Mapping[str, Any]) -> str:
    """The name of a file of a lock."""
    where = str(file.get("path") or unquote(urlsplit(str(file.get("url", ""))).path))
    return str(file.get("name") or where.rpartition("/")[2])


def fits(file: str, place: Place) -> bool:
    """Whether a wheel can be installed there; what is no wheel can not."""
    try:
        return bool(parse_wheel_filename(file)[3] & place.tags)
    except InvalidWheelFilename:
        return False


def applies(package: LockedPackage, place: Place) -> bool:
    """Whether a locked package is installed there."""
    return "marker" not in package or Marker(package["marker"]).evaluate(dict(place.markers))


def _of_indexes(asked: Asked, place: Place, facts: ModelFacts) -> Resolution:
    facts.demands.tell(f"Resolving {facts.path.name} for {place.label}")
    target = Target(python=place.python, platform=place.uv_platform)
    names = frozenset(
        canonicalize_name(each.name)
        for each in (*asked.requirements, *asked.constraints)
        if each.name
    )
    direct = frozenset(str(each["name"]) for each in asked.direct)
    found = Resolution(
        place=place, pinned=names | direct, wheelless=_unfitting(asked.direct, place)
    )
    if not asked.requirements and not any(
        "path" in each.get("archive", {}) for each in asked.direct
    ):
        return found
    answer = Uv().ask(asked.question(target))
    if isinstance(answer, Found):
        return _completed(
            replace(found, packages=answer.packages, yanked=answer.yanked), asked, target, facts
        )
    return _explained(found, answer, asked, target)


def _unfitting(direct: Iterable[LockedPackage], place: Place) -> Mapping[str, Lack]:
    """The model's own wheels, and those of direct URLs, that are for other machines."""
    found = {}
    for each in direct:
        name = file_name(each["archive"]) if "archive" in each else ""
        if name.endswith(".whl") and not fits(name, place):
            found[str(each["name"])] = Lack(pin=name)
    return found


def _completed(found: Resolution, asked: Asked, target: Target, facts: ModelFacts) -> Resolution:
    """Ask also for what the lock holds for the target beyond the closure, so that all of its hashes are compared."""
    have = {str(each["name"]) for each in found.packages}
    more = [
        Requirement(text=f"{each['name']}=={each['version']}")
        for each in (facts.lock.packages if facts.lock else ())
        if each.get("wheels")
        and each.get("version")
        and each["name"] not in have
        and applies(each, found.place)
    ]
    if not more:
        return found
    answer = Uv().ask(Question(requirements=tuple(more), target=target, options=asked.options))
    if isinstance(answer, NotFound):
        return found  # what has no wheel there is told by the lock's own files
    return replace(
        found,
        packages=(*found.packages, *answer.packages),
        yanked={**answer.yanked, **found.yanked},
    )


def _explained(found: Resolution, answer: NotFound, asked: Asked, target: Target) -> Resolution:
    """Find out which pins have no wheel there; where all have one, they exclude each other."""
    missing, said = _wheelless(asked, target)
    if said:
        return replace(found, unasked=re.sub(r"\benvkit-lock-\w+/", "", without_credentials(said)))
    if missing:
        return replace(found, wheelless={**found.wheelless, **missing})
    return replace(found, conflict=without_credentials(answer.said))


def _wheelless(asked: Asked, target: Target) -> tuple[Mapping[str, Lack], str]:
    """Give the pins without a wheel by name, and what was said when there was no answer at all."""
    lacks: dict[str, Lack] = {}
    every = (*asked.requirements, *asked.constraints)
    pins = {canonicalize_name(each.name): _pin(each) for each in every if each.name and _pin(each)}
    while pins:
        answer = Uv().ask(
            Question(
                requirements=tuple(Requirement(text=pin) for pin in pins.values()),
                target=target,
                options=asked.options,
            )
        )
        if isinstance(answer, Found):
            break
        missing = answer.missing & {str(name) for name in pins}
        if not missing:
            return lacks, answer.said or "no answer"
        for name in sorted(missing):
            pin = pins.pop(canonicalize_name(name))
            lacks[name] = Lack(
                pin=pin, unknown=name in answer.unknown, unreleased=name in answer.unreleased
            )
    return lacks, ""


def _pin(requirement: Requirement) -> str:
    if "==" in requirement.text:
        return requirement.text.partition(" --hash")[0].strip()
    return ""


def _with_conda(found: Resolution, spec: EnvironmentSpec | None, place: Place) -> Resolution:
    if spec is None:
        return found
    if not place.conda_platform:
        return replace(found, conda=f"conda has no packages for {place.label}")
    try:
        _solve(spec, place)
    except ToolNotFound as error:
        return replace(found, conda_unasked=" ".join(str(error).split()))
    except (BuildFailed, InvalidFile) as error:
        return replace(found, conda=" ".join(str(error).split()))
    return found


def _solve(spec: EnvironmentSpec, place: Place) -> None:
    from envkit.child import variables
    from envkit.environments.conda import needs
    from envkit.environments.conda.embedded import Embedded
    from envkit.environments.installers.installer import Workshop
    from envkit.environments.store.store import Store

    wanted = needs.of(spec, os.environ)
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        papers = Path(folder).resolve() / "place"
        papers.mkdir()
        workshop = Workshop(
            place=papers,
            cache=Store.open().cache("conda"),
            variables=variables.for_installer(os.environ),
            secrets=wanted.secrets,
        )
        Embedded().lock(
            wanted,
            workshop,
            papers / "pixi.lock",
            platform="" if place.here else place.conda_platform,
        )
