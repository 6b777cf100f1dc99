"""Rule `missing-file`: every file that describes the environment is there.

envkit, MLflow and conda each read another one; a tool that does not find its own falls back to
less, or fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from envkit.formats import environment_variables_txt, mlmodel, python_env_yaml, requirements_txt
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edit, conda_with_pip, pip_lines
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import RequirementFiles
from envkit.validating.finding import Finding, Severity

CODE = "ENV101"
NAME = "missing-file"
SEVERITY = Severity.ERROR
REMEDY = "run `envkit capture` where the model works, it writes all of them"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file that is named or usual and not there."""
    if facts.mlmodel is not None and facts.mlmodel.runs_in_r:
        return
    flavor = facts.mlmodel.python_function if facts.mlmodel else None
    if flavor:
        named = {"conda": flavor.conda_env, "virtualenv": flavor.python_env}
    else:
        named = {}
    usual = {
        requirements_txt.FILE_NAME: None,
        facts.python_env_name: "virtualenv",
        facts.conda_name: "conda",
    }
    missing = {name: key for name, key in usual.items() if not os.path.lexists(facts.path / name)}
    if len(missing) == len(usual):
        problem = f"the model has none of {', '.join(usual)}: its environment is not known"
        yield Finding(rule=CODE, severity=SEVERITY, problem=problem, remedy=REMEDY)
        return
    for name, key in missing.items():
        if key is not None and named.get(key):
            field = f"flavors.python_function.env.{key}"
            problem = f"{mlmodel.FILE_NAME} names {name}, and there is no such file"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=mlmodel.FILE_NAME,
                field=field,
                problem=problem,
                remedy=REMEDY,
            )
        else:
            yield Finding(
                rule=CODE, severity=Severity.WARNING, problem=f"there is no {name}", remedy=REMEDY
            )
    yield from _unnamed(facts)
    yield from _variables(facts)


def _unnamed(facts: ModelFacts) -> Iterator[Finding]:
    """MLflow builds what `MLmodel` names, and otherwise takes the environment in which it happens to run."""
    if facts.mlmodel is not None and facts.bare is None:
        flavor = facts.mlmodel.python_function
    else:
        flavor = None
    if flavor is not None and flavor.conda_env is None and flavor.python_env is None:
        yield Finding(
            rule=CODE,
            severity=Severity.WARNING,
            file=mlmodel.FILE_NAME,
            field="flavors.python_function.env",
            problem="names no environment, so MLflow restores none",
            remedy=REMEDY,
        )


def _variables(facts: ModelFacts) -> Iterator[Finding]:
    name = environment_variables_txt.FILE_NAME
    told = {
        *(facts.mlmodel.variables if facts.mlmodel else ()),
        *(facts.evidence.recorded if facts.evidence else ()),
    }
    if told and not os.path.lexists(facts.path / name):
        problem = f"there is no {name}, and the model reads {', '.join(sorted(told))}"
        yield Finding(rule=CODE, severity=Severity.WARNING, problem=problem, remedy=REMEDY)


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Write what is missing from what the others say; which Python it is, one of them must say."""
    there = {
        name
        for name in (requirements_txt.FILE_NAME, facts.python_env_name, facts.conda_name)
        if _is_there(facts, name)
    }
    if not there:
        return
    if requirements_txt.FILE_NAME not in there:
        lines = next((each for each in facts.all_requirements if each.lines), RequirementFiles())
        own = [
            Requirement(text=each.requirement.text)
            for each in lines.lines
            if not each.constraint and each.file not in lines.read
        ]
        if requirements_txt.CONSTRAINTS_FILE_NAME in lines.read:
            bounds = requirements_txt.CONSTRAINTS_FILE_NAME
        else:
            bounds = None
        if own:
            options = [option for _, option in lines.options]
            yield (
                requirements_txt.FILE_NAME,
                requirements_txt.dumps(own, constraints_file=bounds, options=options),
            )
    elif facts.python is not None:
        if facts.python_env_name not in there:
            made = PythonEnv(
                python=facts.python, dependencies=(f"-r {requirements_txt.FILE_NAME}",)
            )
            yield facts.python_env_name, python_env_yaml.dumps(made)
        if facts.conda_name not in there:
            tools = ("pip",) if pip_lines(facts) else ()
            env = CondaEnv(
                name="envkit-env",
                channels=("conda-forge",),
                dependencies=(f"python={facts.python}", *tools),
            )
            yield facts.conda_name, conda_with_pip(facts, env)
    if any(True for _ in _variables(facts)):
        names = {
            *(facts.mlmodel.variables if facts.mlmodel else ()),
            *(facts.evidence.recorded if facts.evidence else ()),
        }
        yield environment_variables_txt.FILE_NAME, environment_variables_txt.dumps(names)


def _is_there(facts: ModelFacts, name: str) -> bool:
    return os.path.lexists(facts.path / name)
