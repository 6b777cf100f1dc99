"""Rule `recorded-version-differs`: requirements pin the versions that the model was saved with.

`MLmodel` records the versions of the libraries that wrote the artifacts; other versions may not
read them, or read them wrongly.
"""

from packaging.version import InvalidVersion, Version

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV105", "recorded-version-differs", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each requirement or constraint that pins another version than `MLmodel` records."""
    for line in facts.requirements.lines:
        recorded = facts.recorded_versions.get(line.name or "")
        if recorded is None or line.version is None or _same(recorded, line.version):
            continue
        yield Fault(
            problem=(
                f"`{line.shown}`, but {mlmodel.FILE_NAME} was saved with {line.name} {recorded}"
            ),
            remedy=(
                f"require `{line.name}=={recorded}`, or save the model again with the other version"
            ),
            location=line.location,
        )


def _same(one: str, other: str) -> bool:
    try:
        return Version(one).public == Version(other).public
    except InvalidVersion:
        return one == other
