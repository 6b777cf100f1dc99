"""The engine that uses virtualenv and pip.

virtualenv makes the environment without seeds; pip is not installed in it, but runs from a wheel
(the one that virtualenv ships for that Python version, else the one in the interpreter's own
`ensurepip`), which is a zip file that Python can run:
https://pip.pypa.io/en/stable/installation/#standalone-zip-application describes the same.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from envkit.environments import locked_packages
from envkit.environments.installers import source_builds
from envkit.environments.installers.installer import Workshop
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed, ToolNotFound
from envkit.formats.credentials import filled
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement import Requirement, RequirementOrigin
from envkit.formats.requirement_lines import Option
from envkit.interpreters.describe import describe
from envkit.interpreters.interpreter import Interpreter

# between the double quotes that pip puts around the interpreter of long or spaced paths
_EXPANDED = {*'"$`\\'}


class Virtualenv:
    """Makes environments with `python -m virtualenv` and `pip install`."""

    def create(self, interpreter: Interpreter, workshop: Workshop) -> None:
        """See `Engine`."""
        if odd := _EXPANDED & {*str(workshop.place)}:
            raise BuildFailed(
                f"make an environment in {workshop.place}: "
                f"the shell of pip's programs would expand {' '.join(odd)}",
                "Choose another folder (ENVKIT_HOME), or `--env-manager uv`.",
            )
        if find_spec("virtualenv") is None:
            raise ToolNotFound(
                "virtualenv", "Install it (`pip install virtualenv`) or choose `--env-manager uv`."
            )
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "virtualenv",
            "--no-seed",
            "--no-periodic-update",
            "--no-vcs-ignore",
        ]
        argv += [
            "--app-data",
            workshop.cache / "virtualenv",
            "--activators",
            "",
            "--python",
            interpreter.executable,
        ]
        workshop.run([*argv, workshop.place], f"make an environment with {interpreter.executable}")

    def install(self, plan: Plan, workshop: Workshop) -> None:
        """See `Engine`. A lock is installed as requirements with hashes, which pip checks."""
        argv: list[str | Path] = [workshop.python, "-I", "-u", _pip(workshop) / "pip", "install"]
        argv += ["--cache-dir", workshop.cache / "pip", "--no-compile", "--no-warn-script-location"]
        argv += ["--progress-bar", "off", "--no-color"]
        argv += [] if plan.allow_source else ["--only-binary", ":all:"]
        lock = plan.lock
        if lock is not None and not locked_packages.obstacle(lock, allow_source=plan.allow_source):
            requirements = locked_packages.requirements(lock)
            source_builds.refuse(plan, requirements)
            doing = f"install what {lock.path} locks"
            variables = _build_variables(plan, workshop)
            hashed = workshop.write("requirements.txt", _locked(plan, lock, workshop.variables))
            workshop.install(
                [*argv, "--no-deps", "--require-hashes", "-r", hashed], doing, variables
            )
            # which have no hash
            commits = [requirement for requirement in requirements if _is_commit(requirement)]
            if commits:
                workshop.install(
                    [*argv, "--no-deps", "-r", workshop.write("commits.txt", commits)],
                    doing,
                    variables,
                )
        elif plan.requirements:
            source_builds.refuse(plan, (*plan.requirements, *plan.constraints))
            lines = (*plan.options, *plan.requirements)
            argv += ["-r", workshop.write("requirements.txt", lines)]
            argv += (
                ["-c", workshop.write("constraints.txt", plan.constraints)]
                if plan.constraints
                else []
            )
            doing = f"install {len(plan.requirements)} requirements with pip"
            workshop.install(argv, doing, _build_variables(plan, workshop))


def _locked(plan: Plan, lock: LockFile, variables: Mapping[str, str]) -> list[Option | Requirement]:
    """Name further indexes freely: with hashes, none of them can slip in another file."""
    options = [option for option in plan.options if option.name != "--require-hashes"]
    indexes = [
        Option(name="--extra-index-url", value=filled(index, variables))
        for index in locked_packages.indexes(lock)
    ]
    return [
        *options,
        *indexes,
        *(
            requirement
            for requirement in locked_packages.requirements(lock)
            if not _is_commit(requirement)
        ),
    ]


def _is_commit(requirement: Requirement) -> bool:
    return requirement.origin is RequirementOrigin.REPOSITORY


def _build_variables(plan: Plan, workshop: Workshop) -> dict[str, str]:
    """Pass pins to builds of source distributions: only this variable reaches all pip builds."""
    if not plan.build_constraints:
        return {}
    return {
        "PIP_BUILD_CONSTRAINT": str(workshop.write("build-constraints.txt", plan.build_constraints))
    }


def _pip(workshop: Workshop) -> Path:
    """Unpack a pip for the environment's Python; gives the folder (a zip starts more slowly)."""
    import zipfile

    wheel = _bundled_pip(workshop)
    folder = workshop.papers / "pip"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _bundled_pip(workshop: Workshop) -> Path:
    from virtualenv.seed.wheels.embed import get_embed_wheel

    version = next((workshop.place / "lib").glob("python*")).name.removeprefix("python")
    wheel = get_embed_wheel("pip", version)
    if wheel is not None:
        return Path(wheel.path)
    facts = describe(workshop.python, environment=workshop.variables, isolated=True)
    for folder in facts.library:
        bundled = sorted(Path(folder, "ensurepip", "_bundled").glob("pip-*.whl"))
        if bundled:
            return bundled[-1]
    raise BuildFailed(
        f"find a pip for Python {version}", f"{workshop.python} has no ensurepip with a pip."
    )
