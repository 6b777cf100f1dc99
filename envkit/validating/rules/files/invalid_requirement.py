"""Rule `invalid-requirement`: every line is a requirement as PEP 508 has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.formats.requirement_lines import is_url
from envkit.validating.files.edits import Edit, requirement_changed
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV113"
NAME = "invalid-requirement"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each line that installers would refuse."""
    for line in facts.lines:
        given = line.requirement
        if (
            line.parsed is None
            and given.path is None
            and not is_url(given.text)
            and not given.placeholders
        ):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` is not a requirement",
                remedy="write it as `numpy==1.26.4`, `name[extra]==1.0; python_version < '3.12'` or `name @ https://…`",
            )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Write `name=1.0`, as conda has it, with two equals signs."""
    for line in facts.lines:
        found = re.fullmatch(
            r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)\s*=\s*([0-9][A-Za-z0-9.!+]*)",
            line.requirement.text,
        )
        if found:
            yield from requirement_changed(facts, line, f"{found[1]}=={found[2]}")
