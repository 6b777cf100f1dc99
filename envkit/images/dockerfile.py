"""A folder with a Dockerfile, for those who build images with an engine: `generate_dockerfile`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from envkit.environments.packing.members import Member
from envkit.errors import BuildFailed, InvalidArgument
from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholder_names
from envkit.formats.pylock import Package, files_of
from envkit.images import places, references, users
from envkit.images.evidence import CapturedFacts
from envkit.images.layers import model_layer, server_files
from envkit.images.registry.connection import repository
from envkit.images.runtime_settings import Launch, variables
from envkit.interpreters.interpreter import numbers_of
from envkit.locking import hashed_requirements
from envkit.locking.relock import relock
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.environment_spec import EnvironmentSpec

FILE_NAME = "Dockerfile"
Report = Callable[[str], None]
_PYTHON = f"/{places.ENVIRONMENT}/bin/python"
_IGNORED = ".git\n**/__pycache__\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedDockerfile:
    """A written folder. base: the image that it builds on, by digest."""

    path: Path
    base: str


def generate_dockerfile(
    model_uri: str | Path,
    output: str | Path,
    *,
    base: str | None = None,
    user: str = users.DEFAULT,
    labels: Mapping[str, str] | None = None,
    server: bool = True,
    report: Report | None = None,
) -> GeneratedDockerfile:
    """Write a folder from which an engine builds the image of a model.

    The packages are installed before the model is copied, with their hashes. Credentials are
    secrets of the build and in no layer: `--secret id=pip.conf,src=…`, `--secret id=netrc,src=…`.
    Certificates of an index are a secret, too, which `pip.conf` names: `id=ca.pem` becomes
    `/etc/pip-ca.pem`.

    Args:
        model_uri: The model.
        output: A new folder.
        base: An image with the model's Python. It is written with its digest, which a registry
            is asked for. Default: Docker's `python` of the model's version, slim.
        user: `UID:GID` that the image runs as.
        labels: Labels of the image.
        server: Whether to put the scoring server into it.
        report: Called with a line of text as things go on.

    Returns:
        The folder and the base.

    Raises:
        InvalidArgument: The folder is not empty, or an argument is invalid.
        ImageNotFound: The registry does not have the base.
        RegistryFailed: A registry refused, or cannot be reached.
        BuildFailed: The packages cannot be locked with hashes, or the folder cannot be written.
    """
    folder = Path(output).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidArgument(f"{folder} is not empty. Name a new folder.")
    model = model_layer.open_model(model_uri)
    spec = read_spec(model)
    if server and numbers_of(spec.python)[:2] < server_files.OLDEST_PYTHON:
        raise InvalidArgument(
            f"The server needs Python 3.11 and the model has {spec.python}: leave it out with "
            "`--no-server`, or use `envkit build-image`, which adds a second Python."
        )
    described = _Described(
        model=model,
        spec=spec,
        base=_with_digest(base or f"docker.io/library/python:{spec.python}-slim"),
        user=users.check(user),
        labels=dict(labels or {}),
        server=server,
    )
    if report is not None:
        report(f"Writing {folder}")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        for member in described.files():
            _write(partial, member)
        if folder.exists():
            folder.rmdir()
        partial.replace(folder)
    except OSError as error:
        problem = f"{error.strerror or error}."
        raise BuildFailed(f"write the Dockerfile to {folder}", problem) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return GeneratedDockerfile(path=folder / FILE_NAME, base=described.base)


def _with_digest(base: str) -> str:
    """Pin an image of a registry; other names are for the engine to understand."""
    if base.startswith(("oci:", "oci-archive:", "docker-archive:")) or "@" in base:
        return base
    reference = references.parse(base)
    with repository(reference, os.environ) as source:
        digest = source.root().descriptor.digest
    return str(reference.at(digest))


def _write(folder: Path, member: Member) -> None:
    path = folder / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.link:
        path.symlink_to(member.link)
    elif isinstance(member.content, Path):
        shutil.copy(member.content, path)
    else:
        path.write_bytes(member.data)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Described:
    """What the Dockerfile is made of."""

    model: ModelDirectory
    spec: EnvironmentSpec
    base: str
    user: str
    labels: Mapping[str, str]
    server: bool

    def files(self) -> Iterator[Member]:
        """Yield everything in the folder. Raises `BuildFailed`."""
        packages = self._packages()
        yield from _named("model", model_layer.files(self.model.path))
        if self.server:
            yield from _named("server", server_files.members())
        for name, text in hashed_requirements.files(self.spec, packages).items():
            yield Member(name=f"requirements/{name}", content=text.encode())
        for path in sorted(_paths_of(packages)):
            yield Member(name=f"requirements/{path}", content=self.model.path / path)
        yield Member(name=FILE_NAME, content=self._dockerfile().encode())
        yield Member(name=".dockerignore", content=_IGNORED.encode())

    def _packages(self) -> Sequence[Package]:
        if self.spec.lock is not None:
            return self.spec.lock.lock.packages
        with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
            lock = Path(folder, pylock_toml.FILE_NAME)
            return relock(self.model.path, output_path=lock).packages

    def _dockerfile(self) -> str:
        parts = [
            "# syntax=docker/dockerfile:1",
            f"# Written by envkit {version('envkit')} for the model {self.model.path.name}.",
            "",
            *self._environment_stage(),
            "",
            *self._final_stage(),
        ]
        return "\n".join(parts) + "\n"

    def _environment_stage(self) -> Iterator[str]:
        yield f"FROM {self.base} AS environment"
        minor = ".".join(self.spec.python.split(".")[:2])
        yield f"RUN python{minor} -m venv --without-pip /{places.ENVIRONMENT}"
        if self.server:
            yield f"COPY server /{places.SERVER}"
            yield f"RUN {_PYTHON} -m compileall -q /{places.SERVER}"
        yield "COPY requirements /requirements"
        yield "WORKDIR /requirements"
        yield "RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \\"
        yield "    --mount=type=secret,id=netrc,target=/root/.netrc \\"
        yield "    --mount=type=secret,id=ca.pem,target=/etc/pip-ca.pem \\"
        for name in sorted(self._secrets()):
            yield f"    --mount=type=secret,id={name},env={name} \\"
        yield f"    python{minor} -m pip --python {_PYTHON} install --no-cache-dir \\"
        yield "    --no-deps --only-binary :all: --require-hashes -r requirements.txt"

    def _secrets(self) -> set[str]:
        """Name the variables that stand for credentials in the requirements."""
        lines = [option.value or "" for option in self.spec.options]
        lines += [requirement.text for requirement in self.spec.requirements]
        return {name for line in lines for name in placeholder_names(line)}

    def _final_stage(self) -> Iterator[str]:
        yield f"FROM {self.base}"
        packages = CapturedFacts.read(self.model).debian_packages
        if packages:
            yield "RUN apt-get update && \\"
            yield "    apt-get install --yes --no-install-recommends \\"
            yield f"    {' '.join(packages)} && \\"
            yield "    rm -rf /var/lib/apt/lists/*"
        if self.server:
            yield f"COPY --from=environment /{places.SERVER} /{places.SERVER}"
        yield f"COPY --from=environment /{places.ENVIRONMENT} /{places.ENVIRONMENT}"
        yield f"COPY model /{places.MODEL}"
        for name, value in variables().items():
            yield f"ENV {name}={value}"
        for name, value in sorted(self.labels.items()):
            yield f"LABEL {json.dumps(name)}={json.dumps(value)}"
        yield "WORKDIR /"
        yield f"USER {self.user}"
        yield "STOPSIGNAL SIGTERM"
        launch = Launch(server_python=_PYTHON if self.server else "")
        if self.server:
            yield f"EXPOSE {places.PORT}"
            yield "HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \\"
            yield f"    CMD {json.dumps(launch.health_check)}"
        yield f"ENTRYPOINT {json.dumps(launch.entrypoint)}"
        if launch.arguments:
            yield f"CMD {json.dumps(launch.arguments)}"


def _named(folder: str, members: Iterator[Member]) -> Iterator[Member]:
    for member in members:
        yield Member(
            name=f"{folder}/{member.name}",
            content=member.content,
            link=member.link,
            executable=member.executable,
        )


def _paths_of(packages: Sequence[Package]) -> set[str]:
    """Name the files that the model brings along."""
    files = [file for package in packages for file in files_of(package)]
    return {file.path for file in files if file.path is not None}
