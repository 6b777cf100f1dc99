"""Rule `scanner-alarm`: the requested scanners of pickles raise no alarm.

Only with `--scan picklescan` or `--scan fickling`, which envkit's extra `scan` installs. A triage,
not a security boundary.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import relative
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode


@rule("ENV230", "scanner-alarm", Severity.ERROR)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report what each scanner says."""
    for alarm in code.alarms:
        yield Fault(
            problem=alarm.problem,
            remedy=(
                "do not load it; find out who made it, and save the model again from trusted code"
            ),
            location=Location(relative(alarm.file, facts.path)),
        )
