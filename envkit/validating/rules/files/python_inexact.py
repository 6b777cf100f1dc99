"""Rule `python-inexact`: the interpreter is named exactly, as in `3.11.7`."""

import re
from dataclasses import replace

from envkit.formats import conda_yaml
from envkit.validating.files.edits import Edits, with_python
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.python_releases import is_released
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "name it with three parts, as in `3.11.7`"
_EXACT = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


@rule("ENV140", "python-inexact", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each file that leaves the interpreter open, and a model that names none."""
    if not facts.pythons and not facts.broken and not facts.runs_in_r:
        yield Fault(
            problem="no file says which Python the model needs",
            remedy=REMEDY,
        )
    for location, version in facts.pythons:
        if not _EXACT.fullmatch(version):
            yield Fault(
                problem=f"Python {version} is not one version",
                remedy=REMEDY,
                location=location,
            )
        elif not is_released(version, facts.day):
            yield Fault(
                problem=f"there is no Python {version} (PEP 602: one minor version a year)",
                remedy=REMEDY,
                location=location,
            )
    if facts.conda is None:
        return
    spec, location = facts.conda.python, Location(facts.conda_name)
    if spec is None:
        yield Fault(
            problem=f"{facts.conda_name} names no Python, so conda takes any",
            remedy=REMEDY,
            location=location,
        )
    elif any(mark in spec for mark in "<>!~*|,"):
        yield Fault(
            problem=f"`{spec}` admits several Pythons",
            remedy=REMEDY,
            location=location,
        )


def fix(facts: ModelFacts) -> Edits:
    """Name it as exactly as another file does, if all can mean the same."""
    versions = {version for _, version in facts.pythons}
    exact = set(filter(_EXACT.fullmatch, versions))
    if len(exact) != 1:
        return
    python = exact.pop()
    for version in versions:
        # `3.12` can mean 3.12.7, not 3.1.2
        if not f"{python}.".startswith(f"{version}."):
            return
    yield from with_python(facts, python)
    if facts.conda is not None and facts.conda.python is None:
        dependencies = (f"python={python}", *facts.conda.dependencies)
        yield facts.conda_name, conda_yaml.dumps(replace(facts.conda, dependencies=dependencies))
