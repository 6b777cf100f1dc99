"""Rule `installer-option`: no option makes the same files install something else.

`--pre`, `--no-index`, `--no-binary`, `--use-feature` and their like belong to the machine that
installs; in a model they change what everybody gets.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV133"
NAME = "installer-option"
SEVERITY = Severity.WARNING
RISKY = {
    "--pre": "lets pre-releases in",
    "--all-releases": "lets pre-releases in",
    "--no-binary": "builds packages from source, which runs their code",
    "--no-index": "works only where the files are at hand",
    "--use-feature": "turns on what pip may change or drop",
    "--no-require-hashes": "turns the check of hashes off",
}


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each such option."""
    found = {(file, option) for each in facts.all_requirements for file, option in each.options}
    for file, option in sorted(found, key=lambda each: (each[0], each[1].line)):
        if option.name in RISKY:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                line=option.line,
                problem=f"`{option}` {RISKY[option.name]}",
                remedy="remove it, and configure the installer where it runs",
            )
