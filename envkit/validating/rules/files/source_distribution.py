"""Rule `source-distribution`: the lock has a wheel of each package.

A source distribution is built where it is installed: that runs its code, needs compilers, and gives
different results on different machines. envkit refuses it without `--allow-source`.
"""

from envkit.formats import pylock, pylock_toml
from envkit.formats.pylock import Package
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV127", "source-distribution", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each package of which the lock has no wheel."""
    for package in facts.locked_packages:
        if _has_wheel(package):
            continue
        version = "" if package.version is None else f" {package.version}"
        yield Fault(
            problem=f"{package.name}{version} has no wheel and would be built",
            remedy="put a wheel of it into the model with `envkit bundle`, or allow building with "
            "`--allow-source`",
            location=Location(pylock_toml.FILE_NAME, field=f"packages.{package.name}"),
        )


def _has_wheel(package: Package) -> bool:
    if package.vcs is not None or package.directory is not None:
        return False
    if package.archive is not None:
        return pylock.file_name_of(package.archive).endswith(".whl")
    return bool(package.wheels)
