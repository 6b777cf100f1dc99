"""Rule `missing-file`: every file that describes the environment exists.

envkit, MLflow and conda each read another file; a tool that does not find its own falls back to
less, or fails.
"""

import os

from envkit.formats import environment_variables_txt, mlmodel, python_env_yaml, requirements_txt
from envkit.formats.conda_yaml import CondaEnv
from envkit.formats.python_env_yaml import PythonEnv
from envkit.formats.requirement import Requirement
from envkit.validating.files.edits import Edits, conda_with_pip, pip_lines
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "run `envkit capture` where the model works: it writes all of them"
VARIABLES = environment_variables_txt.FILE_NAME


@rule("ENV101", "missing-file", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each file that is named by `MLmodel`, or usual, and does not exist."""
    if facts.runs_in_r:
        return
    usual = (requirements_txt.FILE_NAME, facts.python_env_name, facts.conda_name)
    missing = [name for name in usual if not _exists(facts, name)]
    if len(missing) == len(usual):
        yield Fault(
            problem=f"the model has none of {', '.join(usual)}: its environment is unknown",
            remedy=REMEDY,
        )
        return
    for name in missing:
        yield _missing(facts, name)
    if facts.bare is None and _names_no_environment(facts):
        location = Location(mlmodel.FILE_NAME, field="flavors.python_function.env")
        yield Fault(
            problem="names no environment, so MLflow restores none",
            remedy=REMEDY,
            location=location,
            severity=Severity.WARNING,
        )
    if facts.known_variables and not _exists(facts, VARIABLES):
        names = ", ".join(sorted(facts.known_variables))
        yield Fault(
            problem=f"there is no {VARIABLES}, but the model reads {names}",
            remedy=REMEDY,
            severity=Severity.WARNING,
        )


def _names_no_environment(facts: ModelFacts) -> bool:
    if facts.flavor is None:
        return False
    return facts.flavor.conda_env is None and facts.flavor.python_env is None


def _missing(facts: ModelFacts, name: str) -> Fault:
    named = {}
    if facts.flavor is not None:
        named = {facts.flavor.conda_env: "conda", facts.flavor.python_env: "virtualenv"}
    if name not in named:
        return Fault(
            problem=f"there is no {name}",
            remedy=REMEDY,
            severity=Severity.WARNING,
        )
    location = Location(mlmodel.FILE_NAME, field=f"flavors.python_function.env.{named[name]}")
    return Fault(
        problem=f"{mlmodel.FILE_NAME} names {name}, which does not exist",
        remedy=REMEDY,
        location=location,
    )


def fix(facts: ModelFacts) -> Edits:
    """Write what is missing from the other files; one of them must name the Python."""
    usual = (requirements_txt.FILE_NAME, facts.python_env_name, facts.conda_name)
    if not any(_exists(facts, name) for name in usual):
        return
    if not _exists(facts, requirements_txt.FILE_NAME):
        yield from _requirements(facts)
    elif facts.python is not None:
        if not _exists(facts, facts.python_env_name):
            reference = f"-r {requirements_txt.FILE_NAME}"
            env = PythonEnv(python=facts.python, dependencies=(reference,))
            yield facts.python_env_name, python_env_yaml.dumps(env)
        if not _exists(facts, facts.conda_name):
            yield facts.conda_name, _conda(facts, facts.python)
    if facts.known_variables and not _exists(facts, VARIABLES):
        yield VARIABLES, environment_variables_txt.dumps(facts.known_variables)


def _requirements(facts: ModelFacts) -> Edits:
    for files in facts.all_requirements:
        if not files.lines:
            continue
        own = [
            Requirement(text=line.requirement.text)
            for line in files.lines
            if not line.constraint and line.file not in files.read
        ]
        constraints = requirements_txt.CONSTRAINTS_FILE_NAME
        if own:
            text = requirements_txt.dumps(
                own,
                constraints_file=constraints if constraints in files.read else None,
                options=[option for _, option in files.options],
            )
            yield requirements_txt.FILE_NAME, text
        return


def _conda(facts: ModelFacts, python: str) -> str:
    dependencies = [f"python={python}"]
    if pip_lines(facts):
        dependencies.append("pip")
    env = CondaEnv(name="envkit-env", channels=("conda-forge",), dependencies=tuple(dependencies))
    return conda_with_pip(facts, env)


def _exists(facts: ModelFacts, name: str) -> bool:
    return os.path.lexists(facts.path / name)
