"""Rule `shadowed-module`: no module of the model's code hides a module of others.

The code folder comes first on the search path: if it has a `random.py`, every library gets that for
`import random`.
"""

import sys

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode


@rule("ENV204", "shadowed-module", Severity.ERROR)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each module of the code folder that hides another."""
    owners = {}
    for name in sorted(facts.declared):
        owners.update(dict.fromkeys(code.modules_of(name), name))
    # built-in modules are found before any folder
    for module in sys.stdlib_module_names.difference(sys.builtin_module_names):
        owners[module] = "the standard library"
    for module, file in code.own_modules.items():
        if module in owners:
            yield Fault(
                problem=(
                    f"hides the module {module} of {owners[module]} from everything that imports it"
                ),
                remedy="give the module another name",
                location=Location(file),
            )
