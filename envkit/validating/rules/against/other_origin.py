"""Rule `other-origin`: the environment has packages from the URLs that the model names.

The same version from another place, another commit or an index may be other code.
"""

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift
from envkit.validating.stages.snapshot import INDEX


@rule("ENV606", "other-origin", Severity.WARNING)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report each package that came from another place."""
    for needed, package in drift.other_origins:
        url = without_credentials(needed.url or "")
        origin = "an index" if package.origin == INDEX else package.origin
        yield Fault(
            problem=f"the model needs {needed.name} from {url}, "
            f"but {drift.environment_name} has it from {origin}",
            remedy="install it from there",
            location=facts.location_of(needed.name),
        )
