"""Rule `version-drift`: the environment has the versions that the model was captured with.

Another major version, or an older version, is an error; else it is a warning.
"""

from packaging.version import InvalidVersion, Version

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift


@rule("ENV602", "version-drift", Severity.WARNING)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report each package in another version."""
    for needed, package in drift.other_versions:
        actual = package.version or ""
        is_severe = _is_severe(needed.version or "", actual)
        yield Fault(
            problem=f"the model needs `{needed.spec}`, "
            f"but {drift.environment_name} has {needed.name} {actual}",
            remedy="install that version there, or run the model in its own environment "
            "(`envkit predict`)",
            location=facts.location_of(needed.name),
            severity=Severity.ERROR if is_severe else Severity.WARNING,
        )


def _is_severe(needed: str, actual: str) -> bool:
    try:
        left, right = Version(needed), Version(actual.lstrip("="))
    except InvalidVersion:
        return True
    return (left.epoch, left.major) != (right.epoch, right.major) or right < left
