"""Rule `not-built`: the model's environment can be built from its files."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.errors import InterpreterNotFound, InvalidFile
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import broken
from envkit.validating.finding import Finding, Severity

CODE = "ENV401"
NAME = "not-built"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report why there is no environment."""
    why = facts.rebuilt.unbuilt
    if why is None:
        return
    if isinstance(why, InvalidFile):
        file = broken(why, facts.path).file
    else:
        file = ""
    remedy = "correct what the installer says, or capture the model again"
    if isinstance(why, InterpreterNotFound):
        remedy = (
            "install that Python, name one with `--python`, or allow another with `--python-policy`"
        )
    problem = " ".join(str(why).split())
    yield Finding(
        rule=CODE,
        severity=SEVERITY,
        file=file,
        problem=f"no environment: {problem.rstrip('.')}",
        remedy=remedy,
    )
