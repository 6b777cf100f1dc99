"""Rule `python-end-of-life`: the interpreter still gets security fixes.

The day is that of the PEP that lays down each Python's releases, held against today, or the day of
`SOURCE_DATE_EPOCH`.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.python_releases import end_of_life
from envkit.validating.finding import Finding, Severity

CODE = "ENV141"
NAME = "python-end-of-life"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report a Python whose support has ended, once."""
    if not facts.pythons:
        return
    file, field, version = facts.pythons[0]
    end = end_of_life(version)
    if end is not None and end.day < facts.day:
        minor = ".".join(version.split(".")[:2])
        if minor == "3.1":
            hint = " (3.10 without quotes is 3.1 in YAML)"
        else:
            hint = ""
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            field=field,
            problem=f"Python {minor} is without security fixes since {end.day.isoformat()} ({end.source}){hint}",
            remedy="move the model to a newer Python and capture it again",
        )
