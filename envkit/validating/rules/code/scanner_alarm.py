"""Rule `scanner-alarm`: the deeper scanners that were asked for find nothing.

Only with `--scan picklescan` or `--scan fickling`, which envkit's extra `scan` installs. A triage,
too.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import relative
from envkit.validating.finding import Finding, Severity
from envkit.validating.stages.scanners import named

CODE = "ENV230"
NAME = "scanner-alarm"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report what each scanner says."""
    for scan in named(facts.scan):
        if facts.bare is not None:
            artifact = facts.bare.artifact
        else:
            artifact = None
        for alarm in scan(facts.path if artifact is None else facts.path / artifact):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=relative(alarm.file, facts.path),
                problem=alarm.problem,
                remedy="do not load it; find out who made it, and save the model again from trusted code",
            )
