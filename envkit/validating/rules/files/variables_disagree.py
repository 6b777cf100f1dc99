"""Rule `variables-disagree`: all files name the same environment variables."""

from collections.abc import Iterable

from envkit.formats import environment_variables_txt, envkit_json, mlmodel
from envkit.validating.files.edits import Edits
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

VARIABLES = environment_variables_txt.FILE_NAME


@rule("ENV115", "variables-disagree", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each name that only some of the files have."""
    if facts.variables is None:
        return
    if facts.mlmodel is not None:
        location = Location(mlmodel.FILE_NAME, field="env_vars")
        yield from _unlisted(facts.mlmodel.variables, facts.variables, location)
    if facts.evidence is None:
        return
    location = Location(envkit_json.FILE_NAME, field="environment_variables")
    yield from _unlisted(facts.evidence.variables, facts.variables, location)
    # the author of the list may know more than the capture saw
    for name in sorted(set(facts.variables) - facts.known_variables):
        yield Fault(
            problem=f"names {name}, which the model did not read during the capture",
            remedy="remove it, unless the model reads it with other input",
            location=Location(VARIABLES, facts.line_of(VARIABLES, name)),
            severity=Severity.NOTE,
        )


def _unlisted(names: Iterable[str], listed: Iterable[str], location: Location) -> Faults:
    for name in sorted(set(names).difference(listed)):
        yield Fault(
            problem=f"names {name}, but {VARIABLES} does not",
            remedy=f"add {name} to {VARIABLES}, or capture the model again",
            location=location,
        )


def fix(facts: ModelFacts) -> Edits:
    """Write the names of all files into `environment_variables.txt`."""
    names = facts.known_variables.union(facts.variables or ())
    yield VARIABLES, environment_variables_txt.dumps(names)
