"""Rule `python-end-of-life`: the interpreter still gets security fixes.

The end of each Python's support (from its PEP) is compared with today, or with the day of
`SOURCE_DATE_EPOCH`.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.python_releases import end_of_life
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule


@rule("ENV141", "python-end-of-life", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report a Python whose support has ended, once."""
    if not facts.pythons:
        return
    location, version = facts.pythons[0]
    end = end_of_life(version)
    if end is None or end.day >= facts.day:
        return
    minor = ".".join(version.split(".")[:2])
    problem = f"Python {minor} gets no security fixes since {end.day.isoformat()} ({end.source})"
    if minor == "3.1":
        problem += " (3.10 without quotes is 3.1 in YAML)"
    yield Fault(
        problem=problem,
        remedy="move the model to a newer Python and capture it again",
        location=location,
    )
