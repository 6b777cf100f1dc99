"""A model as a service: what every target needs to know of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from envkit.errors import InvalidArgument
from envkit.formats import environment_variables_txt, envkit_json
from envkit.images import users
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import WHOLE

MEGABYTE = 1 << 20
_LONGEST_NAME = 63  # of a label of DNS, as Kubernetes and hosts have it
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that the model reads. secret: its value is a credential."""

    name: str
    secret: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """One model.

    image: its reference. port: on the host, where hosts are shared. memory: bytes that the server
    and one worker need. workers: processes that load the model.
    """

    name: str
    image: str
    port: int
    memory: int
    workers: int
    variables: tuple[Variable, ...]
    user: str = users.DEFAULT

    @property
    def memory_limit(self) -> int:
        """Bytes that it may use: twice what was measured, in whole 64 MiB."""
        step = 64 * MEGABYTE
        return -(-2 * self.memory // step) * step


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedFile:
    """A file to write. name: relative to the output folder."""

    name: str
    text: str


class Target(Protocol):
    """What takes services: a module of this package, named in `targets`."""

    def files(self, services: Sequence[Service]) -> Iterable[ExportedFile]:
        """Give the files that run the services."""


def describe(
    uri: str | Path, image: str, port: int, memory: int, workers: int
) -> tuple[Service, ModelDirectory]:
    """Describe a model as a service. image: a reference in which `{name}` is replaced."""
    model = ModelDirectory.open(uri, WHOLE)
    name = service_name(model.path.name)
    service = Service(
        name=name,
        image=image.replace("{name}", name),
        port=port,
        memory=memory,
        workers=workers,
        variables=_variables(model),
    )
    return service, model


def service_name(text: str) -> str:
    """Make a name that DNS allows. Raises `InvalidArgument` when nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower())[:_LONGEST_NAME].strip("-")
    if _NAME.fullmatch(name) is None:
        raise InvalidArgument(f"{text!r} cannot be the name of a service. Rename the folder.")
    return name


def check_names(services: Sequence[Service]) -> None:
    """Raise `InvalidArgument` for two services of one name."""
    names = [service.name for service in services]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"Two models are called {name!r}. Rename a folder.")


def _variables(model: ModelDirectory) -> tuple[Variable, ...]:
    path = model.file(environment_variables_txt.FILE_NAME)
    if path is None:
        return ()
    secrets = _secret_names(model)
    names = environment_variables_txt.read(path)
    return tuple(Variable(name=name, secret=name in secrets) for name in names)


def _secret_names(model: ModelDirectory) -> set[str]:
    path = model.file(envkit_json.FILE_NAME)
    evidence: Mapping[str, Any] = envkit_json.read(path) if path is not None else {}
    listed = evidence.get("environment_variables") or ()
    return {str(entry.get("name")) for entry in listed if entry.get("secret")}
