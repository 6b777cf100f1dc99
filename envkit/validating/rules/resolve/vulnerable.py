"""Rule `vulnerable`: no pinned version has a known vulnerability.

Only with `--audit`: pip-audit (extra `audit`) asks PyPI or OSV about each pinned version.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved


@rule("ENV310", "vulnerable", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each known vulnerability, and what could not be looked up."""
    audit = resolved.audit
    if audit is None:
        return
    if audit.no_answer:
        yield Fault(
            problem=f"known vulnerabilities could not be looked up: {audit.no_answer}",
            remedy="check the network, or choose another service (PIP_AUDIT_VULNERABILITY_SERVICE)",
        )
    if audit.unknown:
        names = ", ".join(audit.unknown)
        yield Fault(
            problem=f"the service of known vulnerabilities does not know {names}",
            remedy="ask the authors of the packages",
            severity=Severity.NOTE,
        )
    for vulnerability in audit.vulnerabilities:
        identifier = vulnerability.identifier
        if vulnerability.aliases:
            identifier += f" ({', '.join(vulnerability.aliases)})"
        advice = "no version is free of it yet"
        if vulnerability.fixed:
            advice = f"use {' or '.join(vulnerability.fixed)}"
        yield Fault(
            problem=f"{vulnerability.name} {vulnerability.version} has the known vulnerability "
            f"{identifier}",
            remedy=(
                f"{advice}; try the model with it and capture it again, or accept it in a baseline"
            ),
            location=facts.location_of(vulnerability.name),
        )
