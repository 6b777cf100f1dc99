"""Rule `variable-value`: environment variables are named, and no value is anywhere.

A value is often a secret, and is the business of the machine on which the model runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import environment_variables_txt
from envkit.validating.files.edits import Edit
from envkit.validating.files.facts import ModelFacts, of_content
from envkit.validating.finding import Finding, Severity

CODE = "ENV114"
NAME = "variable-value"
SEVERITY = Severity.ERROR
REMEDY = "leave the name and remove the value; if it is a secret, change it, as others have seen it"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each variable with a value, without repeating that."""
    for line in facts.variable_values:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=environment_variables_txt.FILE_NAME,
            line=line,
            problem="an environment variable has a value",
            remedy=REMEDY,
        )
    if facts.conda:
        in_conda = of_content(facts.conda.other.get("variables"))
    else:
        in_conda = {}
    for name in in_conda:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=facts.conda_name,
            line=facts.line_of(facts.conda_name, f"{name}:"),
            field="variables",
            problem=f"the environment variable {name} has a value",
            remedy=REMEDY,
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Leave the names alone in `environment_variables.txt`; what conda.yaml sets stays, as it may be meant."""
    if facts.variable_values:
        text = facts.text(environment_variables_txt.FILE_NAME)
        lines = (
            line if line.lstrip().startswith("#") else line.partition("=")[0].strip()
            for line in text.splitlines()
        )
        yield environment_variables_txt.FILE_NAME, "".join(f"{line}\n" for line in lines)
