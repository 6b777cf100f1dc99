"""Rule `not-resolved`: the files can be resolved, and the package indexes answer.

Without an answer nothing was proven: a pipeline must not take that for a success.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import broken
from envkit.validating.finding import Finding, Severity

CODE = "ENV308"
NAME = "not-resolved"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report why there is no answer, once for all targets where it is the same."""
    told = {}
    for each in facts.resolutions:
        if each.unread is not None:
            found = broken(each.unread, facts.path)
            told[
                found.file,
                f"cannot be resolved: {found.field} {found.problem}".replace(":  ", ": "),
            ] = each.unread.hint.rstrip(".") or "correct the file"
        elif each.unasked:
            told["", f"no index gave an answer: {each.unasked.rstrip('.')}"] = (
                "check network and index settings (UV_DEFAULT_INDEX, UV_INDEX), and try again"
            )
    for (file, problem), remedy in told.items():
        yield Finding(rule=CODE, severity=SEVERITY, file=file, problem=problem, remedy=remedy)
