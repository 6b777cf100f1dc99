"""Rule `untidy-list`: lists are sorted and name each thing once, `environment_variables.txt` with MLflow's header.

Then two captures, or two people's changes, differ only where they mean something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import environment_variables_txt, requirements_txt
from envkit.validating.files.edits import Edit
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV116"
NAME = "untidy-list"
SEVERITY = Severity.NOTE
LISTS = (requirements_txt.FILE_NAME, requirements_txt.CONSTRAINTS_FILE_NAME)


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file that would be written otherwise; comments and options leave it to its author."""
    for file, _ in fix(facts):
        what = "has not MLflow's header, or its names are not sorted"
        if file == environment_variables_txt.FILE_NAME:
            problem = what
        else:
            problem = "is not sorted, or says something twice"
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            problem=problem,
            remedy="let `envkit fix` write it anew",
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Write them as `envkit capture` does."""
    variables = facts.text(environment_variables_txt.FILE_NAME)
    if facts.variables:
        tidy = environment_variables_txt.dumps(facts.variables)
        if tidy.split() != variables.split():
            yield environment_variables_txt.FILE_NAME, tidy
    for file in LISTS:
        lines = [line.strip() for line in facts.text(file).splitlines() if line.strip()]
        plain = [line for line in lines if not line.startswith("-")]
        if (
            any("#" in line or line.endswith("\\") for line in lines)
            or lines[: len(plain)] != plain
        ):
            continue
        tidy_lines = [*sorted(set(plain), key=_order), *dict.fromkeys(lines[len(plain) :])]
        if tidy_lines != lines:
            yield file, "".join(f"{line}\n" for line in tidy_lines)


def _order(line: str) -> tuple[str, str]:
    return line.lower().replace("_", "-"), line
