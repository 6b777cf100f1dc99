"""Rule `unneeded-requirement`: the model needs each of its requirements to give its answer.

Each requirement is really removed from a copy of the rebuilt environment, with what only it
requires. One example does not cover everything: what another input needs may be reported too.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.minimal import Minimal


@rule("ENV501", "unneeded-requirement", Severity.WARNING)
def check(facts: ModelFacts, minimal: Minimal) -> Faults:
    """Report each requirement without which the answer is the same."""
    for trial in minimal.unneeded:
        name = trial.name
        if trial.brought:
            name += f" (and {', '.join(trial.brought)}, which only it requires)"
        problem = f"without {name} the answer to the example is the same"
        if minimal.together:
            problem += "; not without all reported requirements together"
        yield Fault(
            problem=problem,
            remedy="remove the line, unless other inputs need it, and capture the model again",
            location=facts.location_of(trial.name),
        )
