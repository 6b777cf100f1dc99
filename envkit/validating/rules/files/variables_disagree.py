"""Rule `variables-disagree`: all files name the same environment variables."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import environment_variables_txt, envkit_json, mlmodel
from envkit.validating.files.edits import Edit
from envkit.validating.files.facts import ModelFacts
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
        (
            envkit_json.FILE_NAME,
            "environment_variables",
            facts.evidence.recorded if facts.evidence else (),
        ),
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
    yield from _unknown(facts)


def _unknown(facts: ModelFacts) -> Iterator[Finding]:
    """Names that only the list has; its author may know more than the capture saw."""
    if facts.evidence is None or facts.variables is None:
        return
    known = {*facts.evidence.recorded, *(facts.mlmodel.variables if facts.mlmodel else ())}
    for name in sorted(set(facts.variables) - known):
        yield Finding(
            rule=CODE,
            severity=Severity.NOTE,
            file=environment_variables_txt.FILE_NAME,
            line=facts.line_of(environment_variables_txt.FILE_NAME, name),
            problem=f"names {name}, which the capture did not see the model read",
            remedy="remove it, unless the model reads it with other input",
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Name those of all files in `environment_variables.txt`."""
    declared = facts.mlmodel.variables if facts.mlmodel else ()
    recorded = facts.evidence.recorded if facts.evidence else ()
    names = (*(facts.variables or ()), *declared, *recorded)
    yield environment_variables_txt.FILE_NAME, environment_variables_txt.dumps(names)
