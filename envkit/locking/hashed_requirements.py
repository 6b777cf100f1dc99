"""`requirements.txt` with hashes, from a lock.

With one hash pip requires all, and requires each package pinned in the requirements themselves:
older ones do not accept pins of constraints for that. So the whole closure is in
`requirements.txt`; `constraints.txt` still says which part of it is merely implied.
"""

from __future__ import annotations

from collections.abc import Iterable

from envkit.errors import BuildFailed
from envkit.formats import requirements_txt
from envkit.formats.pylock import Package, files_of, hashes_of
from envkit.formats.requirement import Requirement
from envkit.models.environment_spec import EnvironmentSpec


def files(spec: EnvironmentSpec, packages: Iterable[Package]) -> dict[str, str]:
    """Give the texts of `requirements.txt` and `constraints.txt`.

    Raises `BuildFailed` for what has no hash.
    """
    packages = list(packages)
    stated = {requirement.name: requirement for requirement in spec.requirements}
    bounds = {constraint.name for constraint in spec.constraints}
    # pip accepts no URL of a package whose wheel is a requirement
    constraints = [constraint for constraint in spec.constraints if constraint.url is None]
    for package in packages:
        is_implied = package.name not in stated and package.name not in bounds
        if is_implied and package.wheels:
            constraints.append(Requirement(text=_pin(package)))
    return {
        requirements_txt.FILE_NAME: requirements_txt.dumps(
            [_hashed(package, stated.get(package.name)) for package in packages],
            constraints_file=requirements_txt.CONSTRAINTS_FILE_NAME,
            options=spec.options,
        ),
        requirements_txt.CONSTRAINTS_FILE_NAME: requirements_txt.dumps(constraints),
    }


def _hashed(package: Package, stated: Requirement | None) -> Requirement:
    """A locked package as a requirement with its hashes and with the extras that were stated."""
    hashes = hashes_of(files_of(package))
    if not hashes:
        raise BuildFailed(
            f"write hashes: {package.name} comes from version control",
            "pip refuses such packages when hashes are required; a wheel of it would have one.",
        )
    archive = package.archive
    if archive is None:
        text = _pin(package, stated.extras if stated else ())
    elif archive.path is not None:
        text = f"./{archive.path}"
    else:
        text = f"{package.name} @ {archive.url}"
    return Requirement(text=text, hashes=hashes)


def _pin(package: Package, extras: tuple[str, ...] = ()) -> str:
    brackets = f"[{','.join(extras)}]" if extras else ""
    marker = f" ; {package.marker}" if package.marker is not None else ""
    return f"{package.name}{brackets}=={package.version}{marker}"
