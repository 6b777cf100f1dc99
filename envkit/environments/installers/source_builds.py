"""Refuse builds from source unless the user allowed them: a build runs the project's own code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envkit.environments.plan import Plan
from envkit.errors import BuildFailed
from envkit.formats.credentials import without_credentials
from envkit.formats.requirement import Requirement, RequirementOrigin

_WHEEL_URL = re.compile(r"\.whl(?:[?#]|$)")


def refuse(plan: Plan, requirements: Iterable[Requirement]) -> None:
    """Raise `BuildFailed` for a requirement that leads to source, unless the plan allows builds.

    Installers do not refuse all of them: pip builds what is named by its address, whatever it is
    told of wheels.
    """
    if plan.allow_source:
        return
    for requirement in requirements:
        if requirement.url is None:
            continue
        if requirement.origin is RequirementOrigin.REPOSITORY:
            reason = "comes from version control"
        elif not _WHEEL_URL.search(requirement.url):
            reason = "is not a wheel"
        else:
            continue
        raise BuildFailed(
            f"install {without_credentials(requirement.text)}: it {reason}",
            "Building it runs its code. Allow that with `--allow-source`, or capture the model\n"
            "where it works with `--build-vcs`, which adds a wheel to the model.",
        )
