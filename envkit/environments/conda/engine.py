"""The engine of conda environments: the conda packages first, then the pip section with uv in the same prefix."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from envkit.environments.conda import external, needs, state
from envkit.environments.conda.embedded import Embedded
from envkit.environments.conda.needs import CondaNeeds
from envkit.environments.installers.installer import Workshop
from envkit.environments.installers.uv import Uv
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed, NotAnInterpreter
from envkit.installed import conda_records
from envkit.interpreters.describe import describe
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec


class Tool(Protocol):
    """Who installs conda packages. `kind` tells tools apart whose environments may differ."""

    @property
    def kind(self) -> str:
        """A word."""
        ...

    def create(self, needs: CondaNeeds, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`, which does not exist; gives notes."""
        ...


def tool(named: str | Path | None, environ: Mapping[str, str]) -> Tool:
    """Choose: a program that is named or on the PATH, else py-rattler, which is only missed when it is to build.

    Raises `ToolNotFound` for a named one that cannot be started.
    """
    return external.find(named, environ) or Embedded()


def refitted(
    facts: Mapping[str, Any], asked: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    """Give the facts of a key from another machine (see `Plan.facts`) as this one states them.

    asked: `channels` and `specs` of the `conda.yaml`, which the settings of each machine lead
    elsewhere. What lies in the model's folder is told by its content, which is not here, and stays
    as it was told.
    """
    channels, specs = (
        tuple(map(str, asked.get("channels", ()))),
        tuple(map(str, asked.get("specs", ()))),
    )
    *rest, _ = facts["interpreter"]
    found = {**facts, "interpreter": [*rest, tool(None, environ).kind]}
    spec = EnvironmentSpec(
        directory=Path.cwd(),
        python=str(rest[1]),
        requirements=(),
        conda_channels=channels,
        conda_specs=specs,
    )
    stated = {
        name: list(value) for name, value in needs.of(spec, environ).decisive(lambda _: "", environ)
    }
    names = ["conda_overrides"]
    names += ["conda_machine"] if facts.get("conda_machine") else []
    if not any(each.startswith((".", "/", "~")) for each in channels):
        names += ["conda_channels", "conda_specs"]
    return {**found, **{name: stated[name] for name in names}}


@dataclass
class Conda:
    """Makes conda environments; see `Engine`. notes: what the user should be told of the last one."""

    needs: CondaNeeds
    tool: Tool
    notes: list[str] = field(default_factory=list)

    def create(self, interpreter: Interpreter, workshop: Workshop) -> Interpreter:
        """Install the conda packages and give the interpreter among them; the given one only says what is wanted."""
        self._install(workshop)
        _refuse_damage(conda_records.problems(workshop.place), workshop.place)
        state.write(workshop.place, self.needs.variables)
        _without_secrets(workshop.place, workshop.secrets)
        found = _interpreter(workshop)
        if (
            not f"{found.version}.".startswith(f"{interpreter.minor}.")
            and interpreter.version != "3"
        ):
            self.notes.append(f"conda gave Python {found.version} for `{self._python}`.")
        return found

    def _install(self, workshop: Workshop) -> None:
        """Install the conda packages; where the Python cannot be had, as the policy allows, with another patch version.

        The solver knows that, whatever tool it is in: its complaint names the version.
        """
        try:
            self.notes += self.tool.create(self.needs, workshop)
        except BuildFailed as failure:
            if self.needs.lock is None:
                other = self.needs.with_other_patch_version()
            else:
                other = None
            if other is None or not re.search(_asked_for(self.needs.patch_version), str(failure)):
                raise
            shutil.rmtree(workshop.place, ignore_errors=True)
            try:
                self.notes += self.tool.create(other, workshop)
            except BuildFailed:
                raise failure from None
            wanted = self.needs.patch_version
            self.notes.append(
                f"conda cannot give Python {wanted}; another patch version is used in its place."
            )

    def install(self, plan: Plan, workshop: Workshop) -> None:
        """Install the pip section beside the conda packages."""
        Uv(beside=True).install(plan, replace(workshop, cache=workshop.cache.with_name("uv")))

    @property
    def _python(self) -> str:
        return next((each for each in self.needs.specs if each.startswith("python")), "python")


def _asked_for(version: str) -> str:
    """A pattern of how solvers name a Python that they cannot give: `python=3.11.7`, `python 3.11.7.*`."""
    return rf"python[\s=]+{re.escape(version)}(?!\d)"


def _interpreter(workshop: Workshop) -> Interpreter:
    if not workshop.python.exists():
        raise BuildFailed(
            f"use the environment {workshop.place}", "conda installed no Python in it."
        )
    try:
        facts = describe(workshop.python, environment=workshop.variables, isolated=True)
    except NotAnInterpreter as error:
        raise BuildFailed("start the Python that conda installed", str(error)) from error
    return facts.interpreter


def _refuse_damage(found: Iterable[str], place: Path) -> None:
    if problems := list(found):
        raise BuildFailed(
            f"build the environment {place}: conda's files are not as recorded",
            "\n".join(problems[:5]),
        )


def _without_secrets(place: Path, secrets: frozenset[str]) -> None:
    """Take credentials out of conda's records, into which some versions of conda write a channel's whole URL."""
    for path in (place / "conda-meta").glob("*"):
        if path.is_file() and secrets:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        else:
            text = ""
        if any(secret in text for secret in secrets):
            for secret in sorted(secrets, key=len, reverse=True):
                text = text.replace(secret, "***")
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
