"""Rule `other-interpreter`: the environment has the model's Python.

Compiled packages, bytecode and pickles of functions are for one minor version of Python.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.drift import Drift


@rule("ENV603", "other-interpreter", Severity.ERROR)
def check(facts: ModelFacts, drift: Drift) -> Faults:
    """Report another minor version; another patch version is a note."""
    actual, needed = drift.environment.python, facts.python
    if actual is None or needed is None:
        return
    actual_text = f"{drift.environment_name} has {actual}"
    remedy = f"make the environment with Python {needed}, or capture the model with {actual}"
    locked = facts.lock.requires_python if facts.lock else None
    if actual.split(".")[:2] != needed.split(".")[:2]:
        yield Fault(
            problem=f"the model needs Python {needed}, but {actual_text}",
            remedy=remedy,
        )
    elif locked and not locked.contains(actual, prereleases=True):
        yield Fault(
            problem=f"the model's lock is for Python {locked}, but {actual_text}",
            remedy=remedy,
        )
    elif actual != needed and needed.count(".") > 1:
        yield Fault(
            problem=f"the model was captured with Python {needed}, but {actual_text}",
            remedy=remedy,
            severity=Severity.NOTE,
        )
