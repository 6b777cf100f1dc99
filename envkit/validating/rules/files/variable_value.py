"""Rule `variable-value`: environment variables are named without values.

A value is often a secret, and belongs to the machine on which the model runs.
"""

from envkit.formats import environment_variables_txt
from envkit.validating.files.edits import Edits
from envkit.validating.files.facts import ModelFacts, as_object
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "keep the name and remove the value; if it is a secret, revoke it: others have seen it"
VARIABLES = environment_variables_txt.FILE_NAME


@rule("ENV114", "variable-value", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each variable with a value, without repeating the value."""
    for line in facts.variable_values:
        yield Fault(
            problem="an environment variable has a value",
            remedy=REMEDY,
            location=Location(VARIABLES, line),
        )
    if facts.conda is None:
        return
    for name in as_object(facts.conda.other.get("variables")):
        line = facts.line_of(facts.conda_name, f"{name}:")
        yield Fault(
            problem=f"the environment variable {name} has a value",
            remedy=REMEDY,
            location=Location(facts.conda_name, line, "variables"),
        )


def fix(facts: ModelFacts) -> Edits:
    """Keep only names in `environment_variables.txt`; conda.yaml's values may be intended."""
    if not facts.variable_values:
        return
    lines = []
    for line in facts.text(VARIABLES).splitlines():
        is_comment = line.lstrip().startswith("#")
        lines.append(line if is_comment else line.partition("=")[0].strip())
    yield VARIABLES, "".join(f"{line}\n" for line in lines)
