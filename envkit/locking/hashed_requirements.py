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
from envkit.formats.requirements_txt import Requirement
from envkit.models.environment_spec import EnvironmentSpec


def files(spec: EnvironmentSpec, packages: Iterable[LockedPackage]) -> dict[str, str]:
    """Give the texts of `requirements.txt` and `constraints.txt`. Raises `BuildFailed` for what has no hash."""
    given = {
        each.name: each
        for line in spec.requirements
        for each in requirements_txt.parse(line)
        if isinstance(each, Requirement)
    }
    bounds = {requirements_txt.name_of(line) for line in spec.constraints}
    every = list(packages)
    own = [each for each in every if each["name"] in given and each["name"] not in bounds]
    implied = [each for each in every if each not in own]
    # an address may not stand beside the wheel of it
    pins = [each for each in spec.constraints if "@" not in each]
    constraints = [
        *pins,
        *(_pin(each) for each in implied if each["name"] not in bounds and _pinned(each)),
    ]
    return {
        requirements_txt.FILE_NAME: requirements_txt.dumps(
            [_line(each, given) for each in every],
            constraints_file=requirements_txt.CONSTRAINTS_FILE_NAME,
            options=spec.options,
        ),
        requirements_txt.CONSTRAINTS_FILE_NAME: requirements_txt.dumps(constraints),
    }


def _line(package: LockedPackage, given: Mapping[str | None, Requirement]) -> str:
    digests = sorted(
        {f"{name}:{value}" for each in _files(package) for name, value in each["hashes"].items()}
    )
    if not digests:
        raise BuildFailed(
            f"write hashes: {package['name']} comes from version control",
            "pip refuses such packages where hashes are asked for; a wheel of it would have one.",
        )
    archive = package.get("archive", {})
    if "path" in archive:
        text = f"./{archive['path']}"
    elif "url" in archive:
        text = f"{package['name']} @ {archive['url']}"
    else:
        if package["name"] in given:
            extras = given[package["name"]].text.partition("[")[2].partition("]")[0]
        else:
            extras = ""
        if extras:
            text = _pin(package).replace("==", f"[{extras}]==", 1)
        else:
            text = _pin(package)
    return " ".join([text, *(f"--hash={each}" for each in digests)])


def _pin(package: LockedPackage) -> str:
    marker = f" ; {package['marker']}" if "marker" in package else ""
    return f"{package['name']}=={package['version']}{marker}"


def _pinned(package: LockedPackage) -> bool:
    return "wheels" in package


def _files(package: LockedPackage) -> list[Mapping[str, Any]]:
    files = [*package.get("wheels", ()), package.get("archive"), package.get("sdist")]
    return [each for each in files if each]
