"""A rule: its code, name, severity, page and function, declared in one place.

A rule is a file in `rules/<stage>/`. The docstring of the file says what the rule demands, and the
decorator declares the function that reports each breach:

    @rule("ENV120", "unpinned", Severity.ERROR)
    def check(facts: ModelFacts) -> Faults: ...

`check` takes what its stage provides (see `rules/<stage>/__init__.py`). A function `fix` with the
same arguments in the same file is what `envkit fix` applies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from envkit.validating.files.edits import Edits
from envkit.validating.finding import Faults, Finding, Severity, Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. summary: what it demands, in a sentence; explanation: the rest of its docstring."""

    code: str
    name: str
    severity: Severity
    stage: Stage
    summary: str
    explanation: str
    check: Callable[..., Faults]
    fix: Callable[..., Edits] | None = None

    @property
    def page(self) -> str:
        """The documentation of the rule, relative to the project."""
        return f"docs/rules/{self.code}.md"

    def __call__(self, *evidence: object) -> Faults:
        """Check a model. evidence: what the rule's stage provides."""
        return self.check(*evidence)

    def findings(self, *evidence: object) -> Iterator[Finding]:
        """Check a model, and give what is wrong as findings of this rule."""
        for fault in self.check(*evidence):
            yield Finding(
                rule=self.code,
                severity=fault.severity or self.severity,
                problem=fault.problem,
                remedy=fault.remedy,
                file=fault.location.file,
                line=fault.location.line,
                field=fault.location.field,
            )


def rule(code: str, name: str, severity: Severity) -> Callable[[Callable[..., Faults]], Rule]:
    """Declare a function as the rule of this code."""

    def declare(check: Callable[..., Faults]) -> Rule:
        folder = check.__module__.split(".")[-2]
        docstring = sys.modules[check.__module__].__doc__ or ""
        first, _, rest = docstring.partition("\n\n")
        _, _, summary = first.partition(": ")
        return Rule(
            code=code,
            name=name,
            severity=severity,
            stage=Stage(folder),
            summary=" ".join(summary.split()).rstrip("."),
            explanation=rest.strip(),
            check=check,
        )

    return declare
