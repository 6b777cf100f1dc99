"""Rule `python-inexact`: the interpreter is named exactly, as in `3.11.7`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from envkit.formats import conda_yaml
from envkit.validating.files.edits import Edit, python_named
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.python_releases import is_released
from envkit.validating.finding import Finding, Severity

CODE = "ENV140"
NAME = "python-inexact"
SEVERITY = Severity.ERROR
_EXACT = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
REMEDY = "name it with three parts, as in `3.11.7`"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file that leaves the interpreter open, and a model that names none."""
    in_r = facts.mlmodel is not None and facts.mlmodel.runs_in_r
    if not facts.pythons and not facts.broken and not in_r:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            problem="no file says which Python the model needs",
            remedy=REMEDY,
        )
    for file, field, version in facts.pythons:
        if not _EXACT.fullmatch(version):
            problem = f"Python {version} is not one version"
            yield Finding(
                rule=CODE, severity=SEVERITY, file=file, field=field, problem=problem, remedy=REMEDY
            )
        elif not is_released(version, facts.day):
            problem = f"there is no Python {version} (PEP 602: one minor version a year)"
            yield Finding(
                rule=CODE, severity=SEVERITY, file=file, field=field, problem=problem, remedy=REMEDY
            )
    conda = facts.conda.python if facts.conda else None
    if facts.conda is not None and conda is None:
        problem = f"{facts.conda_name} names no Python, so conda takes any"
        yield Finding(
            rule=CODE, severity=SEVERITY, file=facts.conda_name, problem=problem, remedy=REMEDY
        )
    if conda is not None and any(mark in conda for mark in "<>!~*|,"):
        problem = f"`{conda}` admits several Pythons"
        yield Finding(
            rule=CODE, severity=SEVERITY, file=facts.conda_name, problem=problem, remedy=REMEDY
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Name it as exactly as another file does, where they can be the same."""
    exact = {version for _, _, version in facts.pythons if _EXACT.fullmatch(version)}
    if len(exact) == 1:
        wanted = exact.pop()
        if all(f"{wanted}.".startswith(f"{version}.") for _, _, version in facts.pythons):
            yield from python_named(facts, wanted)
            if facts.conda is not None and facts.conda.python is None:
                named = replace(
                    facts.conda, dependencies=(f"python={wanted}", *facts.conda.dependencies)
                )
                yield facts.conda_name, conda_yaml.dumps(named)
