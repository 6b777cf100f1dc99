"""Rule `credentials`: no file holds a user name, password or token.

Everyone who gets the model gets them too. Installers replace `${NAME}` with the value of that
environment variable.
"""

from envkit.formats.credentials import placeholders
from envkit.validating.files.edits import Edits, with_lines
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "write `${INDEX_HOST_TOKEN}` instead, and revoke the credentials: others have seen them"


@rule("ENV122", "credentials", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each line with credentials in a URL, without repeating them."""
    for file, text in facts.texts():
        for number, line in enumerate(text.splitlines(), 1):
            if "://" in line and ("@" in line or "=" in line) and placeholders(line) != line:
                yield Fault(
                    problem="a URL holds credentials",
                    remedy=REMEDY,
                    location=Location(file, number),
                )


def fix(facts: ModelFacts) -> Edits:
    """Replace them with the names of environment variables, which installers fill in."""
    for file, text in facts.texts():
        changes: dict[int, str | None] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if "://" in line and placeholders(line) != line:
                changes[number] = placeholders(line)
        if changes:
            yield with_lines(facts, file, changes)
