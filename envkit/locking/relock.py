"""A lock made from a model's files: for other machines, or for models without pins or lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from envkit.errors import BuildFailed, InvalidArgument
from envkit.formats import file_set, pylock_toml, requirements_txt
from envkit.formats.credentials import placeholder_names, placeholders, without_credentials
from envkit.formats.pylock import File, Package, hashes_of, indexed_files_of
from envkit.formats.requirement import Requirement
from envkit.formats.requirement_lines import Option
from envkit.locking import direct_references, hashed_requirements, local_origins, resolvers
from envkit.locking.lock import from_indexes, lasting
from envkit.locking.query import FoundFiles, Query, Resolver, Target
from envkit.locking.resolvers import resolver_named
from envkit.locking.uv import Uv
from envkit.models.capture_warnings import CaptureWarning
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec
from envkit.models.uris.required_files import ENVIRONMENT

PYPI = "https://pypi.org/simple"
_ELSEWHERE = "Write the lock to a file: `--output-path FILE`."
_FileT = TypeVar("_FileT", bound=File)


@dataclass(frozen=True, kw_only=True, slots=True)
class Relocked:
    """A new lock.

    resolved: whether versions were chosen, not only looked up. written: the files, as paths.
    warnings: what is locked at a place that only this machine has.
    """

    text: str
    packages: tuple[Package, ...]
    resolved: bool
    written: tuple[Path, ...]
    warnings: tuple[CaptureWarning, ...] = ()

    @property
    def names_by_index(self) -> Mapping[str, tuple[str, ...]]:
        """Names of packages by the URL of their index; those of local files are left out."""
        names: dict[str, list[str]] = {}
        for package in self.packages:
            urls = [wheel.url for wheel in package.wheels or () if wheel.url is not None]
            if any(not url.startswith("file:") for url in urls):
                names.setdefault(package.index or PYPI, []).append(package.name)
        return {index: tuple(names[index]) for index in sorted(names)}


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
    """Lock what the files of a model require, and write `pylock.toml`.

    When everything is pinned and the lock is for this platform, the pins are looked up as they are;
    else a resolver chooses versions, within the constraints.

    Args:
        model_uri: The model; a local one, unless `output_path` is set.
        python: The version of Python, by default that of the model.
        platform: The platform, as uv names it.
        universal: Lock for all platforms.
        exclude_newer: A date; nothing that was uploaded later is chosen.
        resolver: `uv` or `pip-tools`; by default uv, and pip-tools for what only pip is
            configured for.
        generate_hashes: Also write `requirements.txt` with hashes.
        output_path: Write the lock to this file, and do not change the model.

    Returns:
        The lock and the files that were written.

    Raises:
        InvalidFile: A file cannot be parsed, or something in it cannot be locked.
        BuildFailed: No index has what is required.
        InvalidArgument: The resolver does not know the target.
            In all three cases nothing is changed.
    """
    if universal and platform:
        raise InvalidArgument("A lock is for one platform or universal, not both.")
    if generate_hashes and output_path is not None:
        raise InvalidArgument(
            "Hashes are written into the model's requirements.txt: leave out the output path."
        )
    hint = "" if output_path is not None else _ELSEWHERE
    model = ModelDirectory.open(model_uri, ENVIRONMENT, hint=hint)
    spec = read_spec(model)
    target = Target(
        python=python or spec.python,
        platform=platform,
        universal=universal,
        exclude_newer=exclude_newer,
    )
    is_for_other_machine = target.elsewhere or python is not None
    inputs = LockInputs.of(spec, elsewhere=is_for_other_machine)
    is_resolved = is_for_other_machine or not inputs.is_pinned
    named = resolver_named(resolver)
    if is_resolved:
        indexed = _resolve(inputs, target, named or Uv())
    else:
        indexed = _look_up(inputs, target, named)
    if not is_for_other_machine:
        # the hashes that a model states are of files for its own machine
        _check_hashes(inputs, indexed)
    packages = tuple(_portable(package, model.path) for package in (*indexed, *inputs.direct))
    text = pylock_toml.dumps(
        packages=packages, requires_python=target.requires_python, environments=target.environments
    )
    others = hashed_requirements.files(spec, packages) if generate_hashes else {}
    return Relocked(
        text=text,
        packages=packages,
        resolved=is_resolved,
        written=_write(model, output_path, text, others),
        warnings=(
            *local_origins.of_lock(packages),
            *local_origins.repositories_of_lock(packages),
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LockInputs:
    """What the files of a model require.

    direct: the entries of what needs no resolver; requirements and constraints are the others.
    options: those that name indexes. bounded: whether there are constraints for what the
    requirements imply.
    """

    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...]
    direct: tuple[Package, ...]
    options: tuple[Option, ...]
    directory: Path
    bounded: bool

    @classmethod
    def of(cls, spec: EnvironmentSpec, *, elsewhere: bool) -> LockInputs:
        """Sort a spec's requirements by origin. Raises `InvalidFile`.

        elsewhere: The lock is for another platform or Python.
        """
        directory = spec.directory
        wheels = direct_references.wheels_of_commits(spec.lock, directory, elsewhere=elsewhere)
        direct: dict[str, Package] = {}
        for requirement in (*spec.requirements, *spec.constraints):
            package = wheels.get(requirement.url or "")
            if package is None:
                package = direct_references.package_of(requirement, directory)
            if package is not None:
                direct[requirement.text] = package
        return cls(
            requirements=tuple(each for each in spec.requirements if each.text not in direct),
            constraints=tuple(each for each in spec.constraints if each.text not in direct),
            direct=tuple(direct.values()),
            options=tuple(option.with_absolute_folder(directory) for option in spec.options),
            directory=directory,
            bounded=(directory / requirements_txt.CONSTRAINTS_FILE_NAME).is_file(),
        )

    @property
    def is_pinned(self) -> bool:
        """Whether the files name the whole closure, one version each."""
        every = (*self.requirements, *self.constraints)
        return self.bounded and all(requirement.is_pin for requirement in every)

    def query(self, target: Target) -> Query:
        """Ask for versions of everything, within the constraints.

        Wheels of the model are asked for too, for their dependencies.
        """
        wheels = [
            direct_references.reference(package, self.directory)
            for package in self.direct
            if direct_references.is_local_wheel(package)
        ]
        names = {package.name for package in self.direct}
        constraints = [_unhashed(each) for each in self.constraints if each.name not in names]
        return Query(
            requirements=(*map(_unhashed, self.requirements), *wheels),
            constraints=tuple(constraints),
            target=target,
            closure=True,
            options=self.options,
        )


def _unhashed(requirement: Requirement) -> Requirement:
    """Drop the hashes: they are of files for one platform, and the resolver adds its own."""
    return Requirement(text=requirement.text)


def _look_up(inputs: LockInputs, target: Target, resolver: Resolver | None) -> list[Package]:
    direct = {package.name for package in inputs.direct}
    pins = {
        pin.name: Requirement(text=f"{pin.name}=={pin.version}")
        for pin in (*inputs.requirements, *inputs.constraints)
        if pin.name is not None and pin.name not in direct
    }
    in_turn = [resolver] if resolver else resolvers.default()
    if resolver is None and target.exclude_newer:
        # pip-tools does not know what an index had on a day
        in_turn = [Uv()]
    looked_up = from_indexes(pins, target, in_turn, options=inputs.options)
    if looked_up.reasons:
        day = f" as of {target.exclude_newer}" if target.exclude_newer else ""
        raise BuildFailed(
            f"lock {inputs.directory}{day}: nothing was changed", "\n".join(looked_up.reasons)
        )
    return list(looked_up.packages.values())


def _resolve(inputs: LockInputs, target: Target, resolver: Resolver) -> list[Package]:
    """Choose versions of what is not locked by its URL or path."""
    answer = resolver.resolve(inputs.query(target))
    if not isinstance(answer, FoundFiles):
        output = without_credentials(answer.output)
        raise BuildFailed(f"lock {inputs.directory}: nothing was changed", output)
    direct = {package.name for package in inputs.direct}
    return [lasting(package) for package in answer.packages if package.name not in direct]


def _check_hashes(inputs: LockInputs, packages: Sequence[Package]) -> None:
    """Refuse a package without a file of a stated hash: the lock would override the hashes."""
    offered: dict[str, set[str]] = {
        package.name: set(hashes_of(indexed_files_of(package))) for package in packages
    }
    for requirement in (*inputs.requirements, *inputs.constraints):
        known = offered.get(requirement.name or "")
        stated = {digest.lower() for digest in requirement.hashes}
        if stated and known and not known & stated:
            reason = (
                f"no file of {requirement.text} on the index has a hash "
                f"that {requirement.file.name} states"
            )
            raise BuildFailed(f"lock {inputs.directory}: nothing was changed", reason)


def _portable(package: Package, model: Path) -> Package:
    """The package without credentials, and with paths for files that are in the model."""
    wheels, sdist, archive = package.wheels, package.sdist, package.archive
    return replace(
        package,
        index=None if package.index is None else placeholders(package.index),
        wheels=None if wheels is None else [_portable_file(wheel, model) for wheel in wheels],
        sdist=None if sdist is None else _portable_file(sdist, model),
        archive=None if archive is None else _portable_file(archive, model),
    )


def _portable_file(file: _FileT, model: Path) -> _FileT:
    if file.url is None:
        return file
    parts = urlsplit(file.url)
    path = Path(unquote(parts.path))
    if parts.scheme == "file" and path.is_relative_to(model):
        return replace(file, url=None, path=path.relative_to(model).as_posix())
    if placeholder_names(file.url):
        return file
    return replace(file, url=without_credentials(file.url))


def _write(
    model: ModelDirectory, output_path: Path | None, text: str, others: Mapping[str, str]
) -> tuple[Path, ...]:
    """Write the lock, to a file or into the model together with the other files."""
    if output_path is not None:
        folder, name = output_path.absolute().parent, output_path.name
    else:
        folder, name = model.path, pylock_toml.FILE_NAME
    file_set.write_files(folder, {**others, name: text})
    return tuple(folder / written for written in sorted((name, *others)))
