"""Rule `other-platform`: the environment is on the platform of the capture.

On another platform, other files are installed for the same versions, and the model was not tried
with those.
"""

import re

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift


@rule("ENV605", "other-platform", Severity.WARNING)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report another platform; versions of the operating system do not count."""
    actual = drift.environment.platform
    captured = facts.evidence.platform if facts.evidence else ""
    if actual and captured and _without_version(actual) != _without_version(captured):
        yield Fault(
            problem=(
                f"the model was captured on {captured}, but {drift.environment_name} is on {actual}"
            ),
            remedy="try the model there (`envkit validate --rebuild`) before you rely on it",
            location=Location(envkit_json.FILE_NAME, field="interpreter.platform"),
        )


def _without_version(platform: str) -> str:
    return re.sub(r"-\d+(\.\d+)*-", "-", platform)
