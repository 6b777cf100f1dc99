"""Rule `untidy-list`: lists are sorted and without duplicates.

Then two captures, or the edits of two people, differ only where their meaning differs.
"""

from envkit.formats import environment_variables_txt, requirements_txt
from envkit.validating.files.edits import Edits
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

LISTS = (requirements_txt.FILE_NAME, requirements_txt.CONSTRAINTS_FILE_NAME)
VARIABLES = environment_variables_txt.FILE_NAME


@rule("ENV116", "untidy-list", Severity.NOTE)
def check(facts: ModelFacts) -> Faults:
    """Report each file that `envkit capture` would write differently, unless it has comments."""
    for file, _ in fix(facts):
        problem = "is not sorted, or has duplicates"
        if file == VARIABLES:
            problem = "lacks MLflow's header, or its names are not sorted"
        yield Fault(
            problem=problem,
            remedy="sort it with `envkit fix`",
            location=Location(file),
        )


def fix(facts: ModelFacts) -> Edits:
    """Write the lists as `envkit capture` does."""
    if facts.variables:
        tidy = environment_variables_txt.dumps(facts.variables)
        if tidy.split() != facts.text(VARIABLES).split():
            yield VARIABLES, tidy
    for file in LISTS:
        stripped = map(str.strip, facts.text(file).splitlines())
        lines = list(filter(None, stripped))
        tidy_lines = _tidy(lines)
        if tidy_lines != lines:
            yield file, "".join(f"{line}\n" for line in tidy_lines)


def _tidy(lines: list[str]) -> list[str]:
    """Sort requirements before options; lines with comments or continuations stay."""
    for line in lines:
        if "#" in line or line.endswith("\\"):
            return lines
    requirements = [line for line in lines if not line.startswith("-")]
    count = len(requirements)
    # their author may have a reason for another order
    if lines[:count] != requirements:
        return lines
    tidy = sorted(set(requirements), key=_order)
    tidy += dict.fromkeys(lines[count:])
    return tidy


def _order(line: str) -> tuple[str, str]:
    return line.lower().replace("_", "-"), line
