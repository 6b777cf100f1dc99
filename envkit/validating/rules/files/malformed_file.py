"""Rule `malformed-file`: every file that describes the model and its environment is valid."""

import re

from envkit.formats import mlmodel
from envkit.validating.files.edits import Edits
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.interface import broken_parts
from envkit.validating.files.requirement_files import Broken
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "correct the file, or write it again with `envkit capture`"


@rule("ENV102", "malformed-file", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each file that cannot be read, with the key or line that breaks its format."""
    for broken in (*facts.broken, *broken_parts(facts)):
        yield Fault(
            problem=broken.problem,
            remedy=broken.hint.rstrip(".") or REMEDY,
            location=_location(broken),
        )
    if facts.mlmodel is not None and facts.flavor is None:
        yield _no_flavor(", ".join(facts.mlmodel.flavors) or "none", facts)


def _location(broken: Broken) -> Location:
    line = re.fullmatch(r"line (\d+)", broken.field)
    if line:
        return Location(broken.file, int(line[1]))
    return Location(broken.file, field=broken.field)


def _no_flavor(others: str, facts: ModelFacts) -> Fault:
    location = Location(mlmodel.FILE_NAME, field="flavors.python_function")
    if facts.runs_in_r:
        return Fault(
            problem=(
                f"is missing (flavors: {others}): R runs this model, and no file says which R and "
                "which packages of R it needs"
            ),
            remedy=(
                "run it with `envkit predict` or `envkit serve` where R has its packages: envkit "
                "records those of Python only"
            ),
            location=location,
        )
    return Fault(
        problem=f"is missing (flavors: {others}), so envkit cannot run the model",
        remedy="save the model with its python_function flavor",
        location=location,
    )


def fix(facts: ModelFacts) -> Edits:
    """Quote a version of Python that YAML reads as a number: `3.10` is 3.1."""
    fields = {broken.file: broken.field for broken in facts.broken}
    for file, key in ((facts.python_env_name, "python"), (mlmodel.FILE_NAME, "python_version")):
        if fields.get(file, "").rpartition(".")[2] == key:
            number = rf"^(\s*{key}:[ \t]*)(\d+\.\d+)([ \t]*(?:#.*)?\r?)$"
            yield file, re.sub(number, r"\1'\2'\3", facts.text(file), flags=re.MULTILINE)
