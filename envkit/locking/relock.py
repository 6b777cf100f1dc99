"""A lock from what the files of a model say: for other machines, for models without pins, or because it is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from envkit.errors import BuildFailed, InvalidArgument
from envkit.formats import file_set, pylock_toml, requirements_txt
from envkit.formats.credentials import placeholders, without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.locking import direct_references, hashed_requirements, local_origins, resolvers
from envkit.locking.lock import from_indexes, lasting
from envkit.locking.query import Found, Question, Resolver, Target
from envkit.locking.resolvers import resolver_named
from envkit.locking.uv import Uv
from envkit.models.capture_warnings import CaptureWarning
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import ENVIRONMENT

PYPI = "https://pypi.org/simple"
_ELSEWHERE = "Name a file that gets the lock: `--output-path FILE`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Relocked:
    """A new lock.

    resolved: whether versions were chosen, not only looked up. written: the files, as paths.
    warnings: what is locked at a place that this machine alone has.
    """

    text: str
    packages: tuple[LockedPackage, ...]
    resolved: bool
    written: tuple[Path, ...]
    warnings: tuple[CaptureWarning, ...] = ()

    @property
    def of_indexes(self) -> Mapping[str, tuple[str, ...]]:
        """The names that each index gave, by its URL; what comes from elsewhere is not among them."""
        found: dict[str, list[str]] = {}
        for each in self.packages:
            if any(
                "url" in file and not file["url"].startswith("file:")
                for file in each.get("wheels", ())
            ):
                found.setdefault(each.get("index") or PYPI, []).append(each["name"])
        return {index: tuple(names) for index, names in sorted(found.items())}


def relock(
    model_uri: str | Path,
    *,
    python: str | None = None,
    platform: str = "",
    universal: bool = False,
    exclude_newer: str = "",
    resolver: str | None = None,
    generate_hashes: bool = False,
    output_path: Path | None = None,
) -> Relocked:
    """Lock what the files of a model ask for, and write `pylock.toml`.

    When all is pinned and the lock is for this platform, the pins are looked up as they are; else a
    resolver chooses, within the constraints. python: version, default that of the model. platform:
    as uv names it. universal: for all platforms. exclude_newer: a date; nothing that was uploaded
    later is chosen. resolver: `uv` or `pip-tools`; default uv, and pip-tools for what pip alone is
    configured for. generate_hashes: write `requirements.txt` with hashes too. output_path: write
    the lock there, and the model stays as it is.

    Raises `InvalidFile` for files that cannot be read or locked, `BuildFailed` when no index has
    what is asked for, `InvalidArgument` for a target that the resolver does not know. Then nothing
    is changed.
    """
    if universal and platform:
        raise InvalidArgument("A lock is for one platform or universal, not both.")
    if generate_hashes and output_path is not None:
        raise InvalidArgument(
            "Hashes are written into the model's requirements.txt: leave the output path out."
        )
    model = ModelDirectory.open(
        model_uri, ENVIRONMENT, hint="" if output_path is not None else _ELSEWHERE
    )
    spec = read_spec(model)
    target = Target(
        python=python or spec.python,
        platform=platform,
        universal=universal,
        exclude_newer=exclude_newer,
    )
    chosen = target.elsewhere or python is not None
    asked = Asked.of(spec, elsewhere=chosen)
    resolved = chosen or not asked.pinned
    named = resolver_named(resolver)
    if resolved:
        found = _resolve(asked, target, named or Uv())
    else:
        found = _look_up(asked, target, named)
    if not chosen:  # the hashes that a model states are of files for its own machine
        _check_hashes(asked, found)
    packages = tuple(_portable(each, model.path) for each in (*found, *asked.direct))
    text = pylock_toml.dumps(
        packages=packages, requires_python=target.requires_python, environments=target.environments
    )
    written = _write(
        model,
        output_path,
        text,
        hashed_requirements.files(spec, packages) if generate_hashes else {},
    )
    local = (*local_origins.of_lock(packages), *local_origins.repositories_of_lock(packages))
    return Relocked(
        text=text, packages=packages, resolved=resolved, written=written, warnings=local
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the files ask for. direct: what needs no resolver. options: of indexes, as lines."""

    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...]
    direct: tuple[LockedPackage, ...]
    options: tuple[Option, ...]
    directory: Path
    bounded: bool

    @classmethod
    def of(cls, spec: EnvironmentSpec, *, elsewhere: bool) -> Asked:
        """Read it from a spec; `elsewhere`: for another platform or Python. Raises `InvalidFile`."""
        built = direct_references.built(spec.lock, spec.directory, elsewhere=elsewhere)
        direct = {
            each.text: built.get(each.url or "") or direct_references.entry(each, spec.directory)
            for each in (*spec.requirements, *spec.constraints)
        }
        return cls(
            requirements=tuple(each for each in spec.requirements if direct[each.text] is None),
            constraints=tuple(each for each in spec.constraints if direct[each.text] is None),
            direct=tuple(entry for entry in direct.values() if entry is not None),
            options=spec.options,
            directory=spec.directory,
            bounded=(spec.directory / requirements_txt.CONSTRAINTS_FILE_NAME).is_file(),
        )

    @property
    def pinned(self) -> bool:
        """Whether the files name the whole closure, one version each."""
        every = (*self.requirements, *self.constraints)
        return self.bounded and all(each.is_pin for each in every)

    def question(self, target: Target) -> Question:
        """Ask for versions, within the constraints."""
        wheels = [
            direct_references.reference(each, self.directory)
            for each in self.direct
            if direct_references.is_wheel(each)
        ]
        names = {each["name"] for each in self.direct}
        return Question(
            requirements=(*map(_unhashed, self.requirements), *wheels),
            constraints=tuple(
                _unhashed(each) for each in self.constraints if each.name not in names
            ),
            target=target,
            closure=True,
            options=self.options,
        )


def _unhashed(requirement: Requirement) -> Requirement:
    """The requirement without hashes: they are of files for one platform, and the resolver adds its own."""
    return Requirement(text=requirement.text)


def _look_up(asked: Asked, target: Target, resolver: Resolver | None) -> list[LockedPackage]:
    taken = {str(each["name"]) for each in asked.direct}
    wanted = {
        pin.name: Requirement(text=f"{pin.name}=={pin.version}")
        for pin in (*asked.requirements, *asked.constraints)
        if pin.name is not None and pin.name not in taken
    }
    default = resolvers.default()
    if target.exclude_newer:  # pip-tools cannot look back
        default = [Uv()]
    found, reasons, _ = from_indexes(
        wanted, target, [resolver] if resolver else default, options=asked.options
    )
    if reasons:
        if target.exclude_newer:
            day = f" as of {target.exclude_newer}"
        else:
            day = ""
        raise BuildFailed(f"lock {asked.directory}{day}: nothing was changed", "\n".join(reasons))
    return list(found.values())


def _resolve(asked: Asked, target: Target, resolver: Resolver) -> list[LockedPackage]:
    """Choose versions; what the model takes along as wheels is asked for too, for what it requires."""
    answer = resolver.ask(asked.question(target))
    if not isinstance(answer, Found):
        said = without_credentials(answer.said)
        raise BuildFailed(f"lock {asked.directory}: nothing was changed", said)
    names = {each["name"] for each in asked.direct}
    return [lasting(each) for each in answer.packages if each["name"] not in names]


def _check_hashes(asked: Asked, found: Sequence[LockedPackage]) -> None:
    """Refuse what has none of the files that the model states by their hashes: the lock would take their place."""
    offered = {str(each["name"]): _digests(each) for each in found}
    for each in (*asked.requirements, *asked.constraints):
        known = offered.get(each.name or "")
        if each.hashes and known and not known & {text.lower() for text in each.hashes}:
            why = f"no file of {each.text} on the index has a hash that {each.file.name} states"
            raise BuildFailed(f"lock {asked.directory}: nothing was changed", why)


def _digests(package: LockedPackage) -> frozenset[str]:
    """The hashes of all files of a package, as requirements state them."""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    return frozenset(
        f"{name}:{value}" for each in files for name, value in each.get("hashes", {}).items()
    )


def _portable(package: LockedPackage, model: Path) -> LockedPackage:
    """Without credentials, and with paths for what lies in the model."""
    kept: dict[str, Any] = dict(package)
    if "index" in kept:
        kept["index"] = placeholders(kept["index"])
    for key in ("wheels", "archive", "sdist"):
        if key in kept:
            files = [_file(each, model) for each in (kept[key] if key == "wheels" else [kept[key]])]
            kept[key] = files if key == "wheels" else files[0]
    return kept


def _file(file: Mapping[str, Any], model: Path) -> dict[str, Any]:
    kept = dict(file)
    parts = urlsplit(str(kept.get("url", "")))
    path = Path(unquote(parts.path))
    if parts.scheme == "file" and path.is_relative_to(model):
        del kept["url"]
        return {"path": path.relative_to(model).as_posix(), **kept}
    if "url" in kept:
        kept["url"] = without_credentials(kept["url"]) if "${" not in kept["url"] else kept["url"]
    return kept


def _write(
    model: ModelDirectory, output_path: Path | None, text: str, others: Mapping[str, str]
) -> tuple[Path, ...]:
    if output_path is not None:
        folder = output_path.absolute().parent
    else:
        folder = model.path
    if output_path is not None:
        name = output_path.name
    else:
        name = pylock_toml.FILE_NAME
    file_set.write_files(folder, {**others, name: text})
    return tuple(folder / each for each in sorted((name, *others)))
