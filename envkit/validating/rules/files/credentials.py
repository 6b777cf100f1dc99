"""Rule `credentials`: no file holds a user name, password or token.

Whoever gets the model gets them too. Installers put the value of an environment variable in the
place of `${NAME}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats.credentials import placeholders
from envkit.validating.files.edits import Edit, lines_changed
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV122"
NAME = "credentials"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each line with credentials in a URL, without repeating them."""
    for file, text in facts.texts():
        for number, line in enumerate(text.splitlines(), 1):
            if "://" in line and ("@" in line or "=" in line) and placeholders(line) != line:
                yield Finding(
                    rule=CODE,
                    severity=SEVERITY,
                    file=file,
                    line=number,
                    problem="a URL holds credentials",
                    remedy="write `${INDEX_HOST_TOKEN}` in their place, and change them, as others have seen them",
                )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Put the names of variables in their place; installers fill them in from the environment."""
    for file, text in facts.texts():
        lines = enumerate(text.splitlines(), 1)
        changes = {
            number: placeholders(line)
            for number, line in lines
            if "://" in line and placeholders(line) != line
        }
        if changes:
            yield lines_changed(facts, file, changes)
