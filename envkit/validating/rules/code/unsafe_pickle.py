"""Rule `unsafe-pickle`: no pickle imports what can start programs or change files.

The schema of a skops file names what it imports, and `skops_trusted_types` in `MLmodel` what skops
loads without asking; both count as a pickle.

A triage, not a security boundary: unpickling runs code by design, and code can hide in what is
allowed. Load only models that you trust, or in a sandbox.
"""

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode
from envkit.validating.stages.pickle_globals import is_dangerous

SKOPS = ".skops"


@rule("ENV210", "unsafe-pickle", Severity.ERROR)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each such class or function, once for each artifact."""
    for file, names in code.survey.globals.items():
        for module, name in names:
            if is_dangerous(module, name):
                how = "unpickling it imports"
                if file == mlmodel.FILE_NAME:
                    how = "it lets skops load"
                elif file.endswith(SKOPS):
                    how = "loading it imports"
                yield Fault(
                    problem=f"{how} {module}.{name}, which can run or change anything",
                    remedy=(
                        "do not load it; find out who made it, and save the model again from "
                        "trusted code"
                    ),
                    location=Location(file),
                )
