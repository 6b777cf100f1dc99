"""Rule `variables-disagree`: all files name the same environment variables."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import environment_variables_txt, envkit_json, mlmodel
from envkit.validating.edits import Edit
from envkit.validating.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV115"
NAME = "variables-disagree"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each name that `MLmodel` or the evidence has, and `environment_variables.txt` has not."""
    if facts.variables is None:
        return
    others = (
        (mlmodel.FILE_NAME, "env_vars", facts.mlmodel.variables if facts.mlmodel else ()),
        (envkit_json.FILE_NAME, "environment_variables", facts.evidence.recorded if facts.evidence else ()),
    )
    for file, field, names in others:
        for name in sorted(set(names) - set(facts.variables)):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                field=field,
                problem=f"names {name}, and {environment_variables_txt.FILE_NAME} does not",
                remedy=f"add {name} to {environment_variables_txt.FILE_NAME}, or capture the model again",
            )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Name those of all files in `environment_variables.txt`."""
    declared = facts.mlmodel.variables if facts.mlmodel else ()
    recorded = facts.evidence.recorded if facts.evidence else ()
    names = (*(facts.variables or ()), *declared, *recorded)
    yield environment_variables_txt.FILE_NAME, environment_variables_txt.dumps(names)
