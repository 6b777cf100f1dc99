"""Rule `invalid-requirement`: every line is a valid requirement (PEP 508)."""

import re

from envkit.validating.files.edits import Edits, with_requirement
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

REMEDY = (
    "write it as `numpy==1.26.4`, `name[extra]==1.0; python_version < '3.12'` or `name @ https://…`"
)
_CONDA_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)\s*=\s*([0-9][A-Za-z0-9.!+]*)")


@rule("ENV113", "invalid-requirement", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each line that installers refuse."""
    for line in facts.lines:
        if not line.requirement.is_valid:
            yield Fault(
                problem=f"`{line.shown}` is not a requirement",
                remedy=REMEDY,
                location=line.location,
            )


def fix(facts: ModelFacts) -> Edits:
    """Write `name=1.0`, which is conda's syntax, with two equals signs."""
    for line in facts.lines:
        pin = _CONDA_PIN.fullmatch(line.requirement.text)
        if pin:
            yield from with_requirement(facts, line, f"{pin[1]}=={pin[2]}")
