"""What would have to be built, and is not without the user's word: building runs a project's own code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envkit.environments.plan import Plan
from envkit.errors import BuildFailed
from envkit.formats.credentials import without_credentials

_DIRECT = re.compile(
    r"(?:[^@;/]*@\s*)?(?P<url>(?:(?P<vcs>git|hg|bzr|svn)\+)?[A-Za-z]+(?:\+[a-z]+)?:[^\s;]+)"
)


def refuse(plan: Plan, lines: Iterable[str]) -> None:
    """Raise `BuildFailed` for a requirement that leads to source, unless the plan allows builds.

    Installers do not refuse all of them: pip builds what is named by its address, whatever it is
    told of wheels.
    """
    if plan.allow_source:
        return
    for line in lines:
        found = _DIRECT.match(line)
        if found is None or (not found["vcs"] and re.search(r"\.whl(?:[?#]|$)", found["url"])):
            continue
        if found["vcs"]:
            what = "comes from version control"
        else:
            what = "is no wheel"
        raise BuildFailed(
            f"install {without_credentials(line.partition(' --hash')[0])}: it {what}",
            "To build it runs its code: let that be done with `--allow-source`, or capture the model where it works\n"
            "with `--build-vcs`, so that it takes a wheel of it along.",
        )
