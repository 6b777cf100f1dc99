"""The engine of conda environments: first the conda packages, then the pip section with uv."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from envkit.child.variables import Variables
from envkit.environments.conda import external, request, state
from envkit.environments.conda.embedded import Embedded
from envkit.environments.conda.request import CondaRequest
from envkit.environments.installers.installer import Workshop
from envkit.environments.installers.uv import Uv
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed, NotAnInterpreter, Unsolvable
from envkit.formats import conda_yaml
from envkit.formats.condarc import Condarc
from envkit.installed import conda_records
from envkit.interpreters.describe import describe
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec

_NO_FOLDER = Path("/dev/null/model")  # nothing is below it
_ANY_PYTHON = "3"  # as the version of a model that names none


class Tool(Protocol):
    """What installs conda packages. `kind` tells tools apart whose environments may differ."""

    @property
    def kind(self) -> str:
        """A word."""
        ...

    def settings(self, environ: Variables, memory: Path | None = None) -> Condarc:
        """Return conda's settings as the tool has them. Raises `InvalidFile` for malformed ones.

        `memory` is a file in which the tool may remember what is costly to find out.
        """
        ...

    def create(self, request: CondaRequest, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`, which does not exist.

        Returns notes for the user.
        """
        ...


def tool(named: str | Path | None, environ: Variables) -> Tool:
    """Choose a program that is named or on the PATH, else py-rattler.

    That py-rattler is missing shows when it builds. Raises `ToolNotFound` for a named program that
    cannot be started.
    """
    return external.find(named, environ) or Embedded()


def refitted(
    facts: Mapping[str, Any], conda: Mapping[str, Any], environ: Variables
) -> dict[str, Any]:
    """Return the facts of a key from another machine as this machine states them.

    facts: see `Plan.facts`.

    conda: `channels` and `specs` of the `conda.yaml`, which settings of each machine resolve in
    their own way. What lies in the model's folder is identified by its content, which is not here,
    and stays as it was; nothing depends on the working directory.
    """
    channels = tuple(map(str, conda.get("channels", ())))
    specs = tuple(map(str, conda.get("specs", ())))
    implementation, version, platform, _ = facts["interpreter"]
    own_tool = tool(None, environ)
    spec = EnvironmentSpec(
        directory=_NO_FOLDER,
        python=str(version),
        requirements=(),
        conda_channels=channels,
        conda_specs=specs,
    )
    settings = own_tool.settings(environ)
    own = dict(request.of(spec, environ, settings).decisive(lambda _: "", environ))
    names = ["conda_overrides"]
    if facts.get("conda_machine"):
        names.append("conda_machine")
    packed = tuple(map(str, facts.get("conda_channels", ())))
    if not any(channel.startswith((".", "/", "~")) for channel in channels):
        names.append("conda_specs")
    fitted = {**facts, "interpreter": [implementation, version, platform, own_tool.kind]}
    for name in names:
        fitted[name] = list(own[name])
    fitted["conda_channels"] = _refitted_channels(packed, channels, own["conda_channels"])
    return fitted


def _refitted_channels(
    packed: Sequence[str], named: Sequence[str], own: Sequence[str]
) -> list[str]:
    """Return the channels of a key as this machine has them.

    packed: as the machine that packed has them. named: as in `conda.yaml`. own: as in `packed`, but
    for this machine and without the model's folder.
    """
    if any(name.startswith((".", "/", "~")) for name in named):
        return list(packed)
    if len(packed) != len(own):
        return list(own)
    # a channel in the model is not a URL but its content
    return [here if "://" in there else there for there, here in zip(packed, own, strict=True)]


@dataclass
class Conda:
    """Makes conda environments; see `Engine`. notes: what the user should know of the last one."""

    request: CondaRequest
    tool: Tool
    notes: list[str] = field(default_factory=list)

    def create(self, interpreter: Interpreter, workshop: Workshop) -> Interpreter:
        """Install the conda packages and return the interpreter among them.

        `interpreter` only says which version is wanted.
        """
        self._install(workshop)
        _refuse_damage(workshop.place)
        state.write(workshop.place, self.request.variables)
        _remove_secrets(workshop.place, workshop.secrets)
        own = _own_interpreter(workshop)
        if interpreter.version != _ANY_PYTHON and not own.is_version(interpreter.minor):
            self.notes.append(f"conda gave Python {own.version} for `{self.request.python}`.")
        return own

    def _install(self, workshop: Workshop) -> None:
        """Install the conda packages, as the policy allows with another patch version of Python.

        Only when the solver says that the channels lack what was requested: any other failure, such
        as that of a download, has nothing to do with the version.
        """
        try:
            self.notes += self.tool.create(self.request, workshop)
        except Unsolvable as failure:
            other = self._with_other_patch_version(failure)
            if other is None:
                raise
            shutil.rmtree(workshop.place, ignore_errors=True)
            try:
                self.notes += self.tool.create(other, workshop)
            except BuildFailed:
                raise failure from None
            wanted = self.request.patch_version
            self.notes.append(
                f"conda cannot give Python {wanted}; another patch version is used in its place."
            )

    def _with_other_patch_version(self, failure: Unsolvable) -> CondaRequest | None:
        """Return a request for another patch version, unless only other packages are missing."""
        if self.request.lock is not None:
            return None
        names = {conda_yaml.name_of(spec) for spec in failure.missing}
        if names and "python" not in names:
            return None
        return self.request.with_other_patch_version()

    def install(self, plan: Plan, workshop: Workshop) -> None:
        """Install the pip section into the prefix with the conda packages."""
        Uv(beside=True).install(plan, replace(workshop, cache=workshop.cache.with_name("uv")))


def _own_interpreter(workshop: Workshop) -> Interpreter:
    if not workshop.python.exists():
        raise BuildFailed(
            f"use the environment {workshop.place}", "conda installed no Python in it."
        )
    try:
        facts = describe(workshop.python, environment=workshop.variables, isolated=True)
    except NotAnInterpreter as error:
        raise BuildFailed("start the Python that conda installed", str(error)) from error
    return facts.interpreter


def _refuse_damage(place: Path) -> None:
    problems = list(conda_records.problems(place))
    if problems:
        raise BuildFailed(
            f"build the environment {place}: conda's files do not match their records",
            "\n".join(problems[:5]),
        )


def _remove_secrets(place: Path, secrets: frozenset[str]) -> None:
    """Remove credentials from conda's records, where some versions write a channel's whole URL."""
    if not secrets:
        return
    # a longer one may contain a shorter one
    by_length = sorted(secrets, key=len, reverse=True)
    for path in (place / "conda-meta").glob("*"):
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if any(secret in text for secret in secrets):
            for secret in by_length:
                text = text.replace(secret, "***")
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
