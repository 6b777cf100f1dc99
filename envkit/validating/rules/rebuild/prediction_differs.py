"""Rule `prediction-differs`: the answer in the rebuilt environment is the recorded one.

Exactly, or for numbers within `--rtol` and `--atol`. Missing values equal each other; texts are
equal or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import envkit_json
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV403"
NAME = "prediction-differs"
SEVERITY = Severity.ERROR
REMEDY = "find what changed with `envkit diff`; if the difference is of no account, allow it with `--rtol` or `--atol`"
OF_CHANCE = (
    "fix the model's seeds and capture it again, or allow the difference with `--rtol` or `--atol`"
)


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each column that differs, with the worst of its values."""
    for each in facts.answer_differences:
        problem, remedy = each.text, REMEDY
        if facts.answer_varies:
            problem, remedy = f"{each.text}; asked again it answers otherwise, too", OF_CHANCE
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=envkit_json.FILE_NAME,
            field="prediction",
            problem=problem,
            remedy=remedy,
        )
