"""Rule `bad-reference`: every `-r` and `-c` leads to a file of the model, without a circle."""

import os

from envkit.formats import requirements_txt
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edits
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import BadReference
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV112", "bad-reference", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each reference that cannot be followed."""
    for bad in _bad_references(facts):
        yield Fault(
            problem=f"`{bad.reference}` {bad.problem}",
            remedy="write the lines out, or refer to a file inside the model",
            location=Location(bad.file, bad.line),
        )


def fix(facts: ModelFacts) -> Edits:
    """Write missing constraints that are referred to, as the capture recorded them."""
    name = requirements_txt.CONSTRAINTS_FILE_NAME
    constraints = [
        Requirement(text=each.requirement)
        for each in facts.captured.values()
        if each.role == "constraint"
    ]
    references = [bad.reference for bad in _bad_references(facts)]
    if constraints and f"-c {name}" in references and not os.path.lexists(facts.path / name):
        yield name, requirements_txt.dumps(constraints)


def _bad_references(facts: ModelFacts) -> dict[BadReference, None]:
    return dict.fromkeys(bad for files in facts.all_requirements for bad in files.bad)
