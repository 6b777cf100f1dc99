"""Rule `installer-option`: no option changes what the files install.

`--pre`, `--no-index`, `--no-binary`, `--use-feature` and similar options belong to the machine that
installs; in a model they change what everybody gets.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

RISKS = {
    "--pre": "admits pre-releases",
    "--all-releases": "admits pre-releases",
    "--no-binary": "builds packages from source, which runs their code",
    "--no-index": "works only where the files are available locally",
    "--use-feature": "turns on what pip may change or drop",
    "--no-require-hashes": "turns off the check of hashes",
}


@rule("ENV133", "installer-option", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each such option."""
    for location, option in facts.installer_options:
        if option.name in RISKS:
            yield Fault(
                problem=f"`{option}` {RISKS[option.name]}",
                remedy="remove it, and configure the installer where it runs",
                location=location,
            )
