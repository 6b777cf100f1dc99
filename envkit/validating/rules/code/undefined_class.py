"""Rule `undefined-class`: the model's own modules define what its pickles name.

A pickle holds the name of a class, not the class. If the module in the model's code is another one,
such as a module of the same name that belongs to another model, loading fails.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages import own_names
from envkit.validating.stages.code import ModelCode


@rule("ENV214", "undefined-class", Severity.ERROR)
def check(_: ModelFacts, code: ModelCode) -> Faults:
    """Report each module of the model's code that lacks a class or function of a pickle."""
    if code.code is None:
        return
    for file, names in code.survey.globals.items():
        for module, name in names:
            top_level = module.partition(".")[0]
            if top_level not in code.own_modules:
                continue
            path = own_names.file_of(module, code.code)
            if path is None:
                continue
            defined = own_names.defined(path)
            if defined is None or name.partition(".")[0] in defined:
                continue
            shown = f"{code.code.name}/{path.relative_to(code.code).as_posix()}"
            yield Fault(
                problem=f"unpickling it needs {module}.{name}, which {shown} does not define",
                remedy=(
                    f"put the module {module} that the model was saved with into its code; another "
                    "one has its name"
                ),
                location=Location(file),
            )
