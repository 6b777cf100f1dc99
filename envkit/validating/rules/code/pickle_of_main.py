"""Rule `pickle-of-main`: no pickle needs what only the program that saved it defined.

A class of a script or notebook is pickled as its name in the module `__main__`. Wherever the model
is loaded, `__main__` is another program.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

MAINS = frozenset({"__main__", "__mp_main__"})


@rule("ENV212", "pickle-of-main", Severity.ERROR)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each artifact once, with the names."""
    for file, names in code.survey.globals.items():
        of_main = [name for module, name in names if module in MAINS]
        if of_main:
            yield Fault(
                problem=f"unpickling it needs {', '.join(of_main)} of the program that saved it "
                "(`__main__`)",
                remedy=(
                    "move what it names into a module, add that to the model's code, and save the "
                    "model again; or save it with cloudpickle"
                ),
                location=Location(file),
            )
