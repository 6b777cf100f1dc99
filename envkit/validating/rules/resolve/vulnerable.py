"""Rule `vulnerable`: no version is known to have a vulnerability.

Only with `--audit`: pip-audit (extra `audit`) asks PyPI or OSV about each pinned version.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV310"
NAME = "vulnerable"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each known vulnerability, and what could not be asked."""
    if facts.audit is None:
        return
    if facts.audit.unasked:
        problem = f"no answer about known vulnerabilities: {facts.audit.unasked}"
        remedy = "check the network, or choose another service (PIP_AUDIT_VULNERABILITY_SERVICE)"
        yield Finding(rule=CODE, severity=SEVERITY, problem=problem, remedy=remedy)
    if facts.audit.unknown:
        problem = (
            f"the service of known vulnerabilities does not know {', '.join(facts.audit.unknown)}"
        )
        remedy = "ask those who make them"
        yield Finding(rule=CODE, severity=Severity.NOTE, problem=problem, remedy=remedy)
    for each in facts.audit.vulnerabilities:
        file, line = facts.place_of(each.name)
        if each.aliases:
            aliases = f" ({', '.join(each.aliases)})"
        else:
            aliases = ""
        if each.fixed:
            fixed = f"take {' or '.join(each.fixed)}"
        else:
            fixed = "there is no version without it yet"
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            line=line,
            problem=f"{each.name} {each.version} has the known vulnerability {each.identifier}{aliases}",
            remedy=f"{fixed}, try the model with it, and capture it again; accept it with a baseline",
        )
