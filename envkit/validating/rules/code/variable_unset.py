"""Rule `variable-unset`: the environment variables that the model requires are set.

They are looked up where `envkit validate` runs: run it where the model will run, or skip the rule
(`--ignore ENV220`).
"""

from envkit.analysis.environment_variables import OF_THE_SYSTEM
from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode


@rule("ENV220", "variable-unset", Severity.WARNING)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each required variable that is not set, never a value."""
    required: dict[str, Location] = {}
    if facts.evidence is not None:
        location = Location(envkit_json.FILE_NAME)
        required = dict.fromkeys(facts.evidence.required_variables, location)
    for variable in code.survey.variables:
        if variable.name in facts.environ or variable.name in required:
            continue
        if variable.needed and not OF_THE_SYSTEM.fullmatch(variable.name):
            required[variable.name] = Location(variable.file, variable.line)
    for name, location in required.items():
        if name not in facts.environ:
            yield Fault(
                problem=(
                    f"the model requires the environment variable {name}, which is not set here"
                ),
                remedy=f"set {name} where the model runs",
                location=location,
            )
