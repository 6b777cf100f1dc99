"""Rule `source-distribution`: the lock has a wheel of each package.

A source distribution is built where it is installed: that runs its code, needs compilers, and gives
other results on other machines. envkit refuses it without `--allow-source`.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV127"
NAME = "source-distribution"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each package that the lock has no wheel of."""
    for package in facts.lock.packages if facts.lock else ():
        archive = package.get("archive", {})
        place = str(archive.get("url") or archive.get("path") or "")
        only = (
            "vcs" in package
            or "directory" in package
            or (bool(place) and not place.endswith(".whl"))
        )
        if only or ("sdist" in package and not package.get("wheels")):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=pylock_toml.FILE_NAME,
                field=f"packages.{package['name']}",
                problem=f"{package['name']} {package.get('version', '')} has no wheel and would be built".replace(
                    "  ", " "
                ),
                remedy="put a wheel of it into the model with `envkit bundle`, or allow it with `--allow-source`",
            )
