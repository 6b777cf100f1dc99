"""Rule `unsafe-pickle`: no pickle imports what can start programs or change files.

A triage, not a security boundary: unpickling runs code by design, and code can hide in what is
allowed. Load only models that you trust, or in a sandbox.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode
from envkit.validating.stages.pickle_globals import is_dangerous


@rule("ENV210", "unsafe-pickle", Severity.ERROR)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each such class or function, once for each artifact."""
    for file, names in code.survey.globals.items():
        for module, name in names:
            if is_dangerous(module, name):
                yield Fault(
                    problem=(
                        f"unpickling it imports {module}.{name}, which can run or change anything"
                    ),
                    remedy=(
                        "do not load it; find out who made it, and save the model again from "
                        "trusted code"
                    ),
                    location=Location(file),
                )
