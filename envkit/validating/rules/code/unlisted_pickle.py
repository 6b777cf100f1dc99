"""Rule `unlisted-pickle`: pickles import only declared packages, own code and plain values.

The list of what is allowed is made from the model itself: the modules of its declared packages,
those of its own code, what the runner supplies, and classes of the standard library that hold
values. A triage, not a security boundary.
"""

from envkit.analysis.mentions import Globals
from envkit.models.supplied_by_runner import is_supplied
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode
from envkit.validating.stages.pickle_globals import is_dangerous, is_plain


@rule("ENV211", "unlisted-pickle", Severity.WARNING)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each module that is not on the list, once for each artifact."""
    for file, names in code.survey.globals.items():
        # the first unlisted name of each module
        unlisted: dict[str, str] = {}
        for module, name in names:
            is_allowed = _is_allowed(module, name, names)
            if not is_allowed and not _is_listed(module, facts, code):
                unlisted.setdefault(module, name)
        for module, name in unlisted.items():
            yield Fault(
                problem=(
                    f"unpickling it imports {module}.{name}, which is not on the list of what this "
                    "model may import"
                ),
                remedy="require the package that has it, or find out who made the file",
                location=Location(file),
            )


def _is_allowed(module: str, name: str, names: Globals) -> bool:
    """Whether any model may import it, or another rule reports it."""
    if is_dangerous(module, name) or is_supplied(f"{module}.{name}"):
        return True
    return is_plain(module, name, names)


def _is_listed(module: str, facts: ModelFacts, code: ModelCode) -> bool:
    if module.partition(".")[0] in code.own_modules:
        return True
    providers, _ = code.providers(module)
    return not providers.isdisjoint(facts.expected)
