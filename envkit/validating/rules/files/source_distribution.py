"""Rule `source-distribution`: the lock has a wheel of each package.

A source distribution is built where it is installed: that runs its code, needs compilers, and gives
different results on different machines. envkit refuses it without `--allow-source`.
"""

from envkit.formats import pylock_toml
from envkit.formats.pylock_toml import LockedPackage
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV127", "source-distribution", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each package of which the lock has no wheel."""
    for package in facts.locked_packages:
        if _has_wheel(package):
            continue
        shown = " ".join(str(package[key]) for key in ("name", "version") if key in package)
        yield Fault(
            problem=f"{shown} has no wheel and would be built",
            remedy="put a wheel of it into the model with `envkit bundle`, or allow building with "
            "`--allow-source`",
            location=Location(pylock_toml.FILE_NAME, field=f"packages.{package['name']}"),
        )


def _has_wheel(package: LockedPackage) -> bool:
    if "vcs" in package or "directory" in package:
        return False
    if "archive" in package:
        archive = package["archive"]
        return str(archive.get("url") or archive.get("path")).endswith(".whl")
    return "sdist" not in package or bool(package.get("wheels"))
