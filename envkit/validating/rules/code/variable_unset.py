"""Rule `variable-unset`: the environment variables that the model cannot do without are set here.

Here is where `envkit validate` runs: run it where the model will run, or leave the rule out
(`--ignore ENV220`).
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.analysis.environment_variables import OF_THE_SYSTEM, guarded_lines
from envkit.analysis.mentions import Variable
from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV220"
NAME = "variable-unset"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each required variable that is not set, never a value."""
    seen = facts.evidence.required if facts.evidence else ()
    told: set[str] = set()
    for name in seen:
        if name not in facts.environ:
            told.add(name)
            yield _finding(name, envkit_json.FILE_NAME, 0)
    for each in facts.imports.survey.variables if facts.imports.survey else ():
        if (
            each.needed
            and each.name not in facts.environ
            and each.name not in told
            and not _is_ready(each, facts)
        ):
            told.add(each.name)
            yield _finding(each.name, each.file, each.line)


def _is_ready(each: Variable, facts: ModelFacts) -> bool:
    """Whether the code is ready for its absence."""
    lines = guarded_lines(str(facts.path / each.file), each.name)
    return bool(OF_THE_SYSTEM.fullmatch(each.name)) or any(
        first <= each.line <= last for first, last in lines
    )


def _finding(name: str, file: str, line: int) -> Finding:
    return Finding(
        rule=CODE,
        severity=SEVERITY,
        file=file,
        line=line,
        problem=f"the model cannot do without the environment variable {name}, which is not set here",
        remedy=f"set {name} where the model runs",
    )
