"""Rule `shadowed-module`: no module of the model's code takes the place of one that others mean.

The code folder comes first on the search path: a `random.py` in it is what every library gets for
`import random`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from envkit.validating.files.declared import declared
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV204"
NAME = "shadowed-module"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each module of the code folder that hides one of the standard library or of a declared package."""
    of_packages = {
        module: name
        for name in sorted(declared(facts))
        for module in facts.imports.modules_of(name)
    }
    for module, file in facts.imports.own_modules.items():
        if module in sys.stdlib_module_names and module not in sys.builtin_module_names:
            whose = "the standard library"
        elif module in of_packages:
            whose = of_packages[module]
        else:
            continue
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=file,
            problem=f"hides the module {module} of {whose} from all that import it",
            remedy="give the module another name",
        )
