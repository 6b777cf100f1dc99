"""`requirements.txt` with hashes, from a lock.

With one hash pip wants all, and wants each package pinned in the requirements themselves: older
ones do not take the pins of constraints for that. So the whole closure stands in
`requirements.txt`; which of it is merely implied is still told by `constraints.txt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from envkit.errors import BuildFailed
from envkit.formats import requirements_txt
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement import Requirement
from envkit.models.environment_spec import EnvironmentSpec


def files(spec: EnvironmentSpec, packages: Iterable[LockedPackage]) -> dict[str, str]:
    """Give the texts of `requirements.txt` and `constraints.txt`. Raises `BuildFailed` for what has no hash."""
    packages = list(packages)
    stated = {requirement.name: requirement for requirement in spec.requirements}
    bounds = {constraint.name for constraint in spec.constraints}
    # pip accepts no URL of a package whose wheel is a requirement
    constraints = [constraint for constraint in spec.constraints if constraint.url is None]
    for package in packages:
        is_implied = package["name"] not in stated and package["name"] not in bounds
        if is_implied and _comes_from_an_index(package):
            constraints.append(Requirement(text=_pin(package)))
    return {
        requirements_txt.FILE_NAME: requirements_txt.dumps(
            [_hashed(package, stated.get(package["name"])) for package in packages],
            constraints_file=requirements_txt.CONSTRAINTS_FILE_NAME,
            options=spec.options,
        ),
        requirements_txt.CONSTRAINTS_FILE_NAME: requirements_txt.dumps(constraints),
    }


def _hashed(package: LockedPackage, stated: Requirement | None) -> Requirement:
    """A locked package as a requirement with its hashes and with the extras that were stated."""
    hashes = sorted(
        {f"{name}:{value}" for file in _files(package) for name, value in file["hashes"].items()}
    )
    if not hashes:
        raise BuildFailed(
            f"write hashes: {package['name']} comes from version control",
            "pip refuses such packages when hashes are required; a wheel of it would have one.",
        )
    archive = package.get("archive", {})
    if "path" in archive:
        text = f"./{archive['path']}"
    elif "url" in archive:
        text = f"{package['name']} @ {archive['url']}"
    else:
        text = _pin(package, stated.extras if stated else ())
    return Requirement(text=text, hashes=tuple(hashes))


def _pin(package: LockedPackage, extras: tuple[str, ...] = ()) -> str:
    brackets = f"[{','.join(extras)}]" if extras else ""
    marker = f" ; {package['marker']}" if "marker" in package else ""
    return f"{package['name']}{brackets}=={package['version']}{marker}"


def _comes_from_an_index(package: LockedPackage) -> bool:
    return "wheels" in package


def _files(package: LockedPackage) -> list[Mapping[str, Any]]:
    files = [*package.get("wheels", ()), package.get("archive"), package.get("sdist")]
    return [each for each in files if each]
