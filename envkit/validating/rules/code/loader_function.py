"""Rule `loader-function`: the code that loads the model defines what is called.

A loader module has a function `_load_pyfunc`; a model that is saved as code calls `set_model`.
"""

from pathlib import Path

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages import own_names
from envkit.validating.stages.code import ModelCode

LOADER = "_load_pyfunc"
SETTER = "set_model"


@rule("ENV206", "loader-function", Severity.ERROR)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report a loader module, or a model's script, that lacks it."""
    if facts.flavor is None or facts.bare is not None or not code.is_read:
        return
    script = _script(facts)
    if script and not own_names.mentions(facts.path / script, SETTER):
        yield Fault(
            problem=f"never calls `{SETTER}`, so there is no model in it",
            remedy=f"call `{SETTER}` with the model at the end of the script",
            location=Location(script),
        )
    loader = facts.flavor.loader_module
    if code.code is None or loader.partition(".")[0] not in code.own_modules:
        return
    path = own_names.file_of(loader, code.code)
    if path is None:
        return
    defined = own_names.defined(path)
    if defined is not None and LOADER not in defined:
        yield Fault(
            problem=f"is the loader of the model, but defines no function `{LOADER}`",
            remedy=f"define `{LOADER}(path)`, which returns an object with a method `predict`",
            location=Location(f"{code.code.name}/{path.relative_to(code.code).as_posix()}"),
        )


def _script(facts: ModelFacts) -> str:
    """The script of a model that is saved as code, relative to the model; empty without one."""
    named = facts.flavor.model_code_path if facts.flavor else None
    if named is None:
        return ""
    # MLflow records where the script was, and copies it into the model under its name
    for name in (named, Path(named).name):
        if not facts.leads_out(name) and facts.has(name):
            return name
    return ""
