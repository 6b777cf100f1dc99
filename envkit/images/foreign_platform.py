"""The contents of an image for another platform than this machine's; nothing of it is run here.

Packages are installed from wheels of that platform, chosen by a lock for it. The base image has the
interpreter, since an interpreter of this machine cannot be taken along.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from envkit.child import process, uv, variables
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.packing import virtual
from envkit.environments.packing.members import Member
from envkit.environments.planning import plan_environment
from envkit.environments.store.store import Store
from envkit.errors import BuildFailed, InvalidArgument, InvalidInput
from envkit.formats import redaction, uv_toml
from envkit.images import places
from envkit.images.bases import choice as bases
from envkit.images.contents import Contents
from envkit.images.layers.bytecode import Bytecode, compiled
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer, Facts
from envkit.images.layers.server_files import OLDEST_PYTHON
from envkit.images.layers.server_layer import server_layer
from envkit.images.options import ImageOptions
from envkit.images.platforms import Platform
from envkit.images.runtime_settings import Launch
from envkit.interpreters.interpreter import Interpreter, numbers_of
from envkit.locking.relock import relock
from envkit.models.directory import ModelDirectory
from envkit.models.environment_spec import EnvironmentSpec

Report = Callable[[str], None]
_SECONDS = 1800.0


class NoPythonInBase(InvalidInput):
    """A base image has no interpreter for the packages of another platform."""

    def __init__(self, base: str, python: str, platform: str) -> None:
        super().__init__(base, python, platform)
        self.base, self.python, self.platform = base, python, platform

    def __str__(self) -> str:
        return (
            f"The base image {self.base} has no Python {self.python} for {self.platform}. "
            "Images for another platform take the interpreter of their base: name one that has "
            f"it, such as `--base docker.io/library/python:{self.python}-slim`."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignPlatform:
    """A platform, and the interpreter of this machine that has the model's minor version."""

    platform: Platform
    interpreter: Interpreter

    @classmethod
    def plan(
        cls,
        platform: Platform,
        spec: EnvironmentSpec,
        choice: EnvironmentChoice,
        store: Store,
        report: Report,
    ) -> ForeignPlatform:
        """Find the interpreter. Raises `InvalidArgument`, `InterpreterNotFound`."""
        if choice.manager is not EnvType.UV:
            raise InvalidArgument(
                f"Only uv installs packages for {platform}: use `--env-manager uv`."
            )
        if choice.overrides or choice.allow_source:
            raise InvalidArgument(
                f"Packages for {platform} come from the model's lock, as wheels: omit "
                "`--pip-requirements-override` and `--allow-source`."
            )
        planned = plan_environment(spec, choice, store, report)
        return cls(platform=platform, interpreter=planned.interpreter)

    def packages(self, base: str) -> tuple[str, ...]:
        """Name the Debian packages with the interpreter, for a base that mmdebstrap makes."""
        return (f"python{self.interpreter.minor}",) if bases.is_debian(base) else ()

    def contents(
        self,
        model: ModelDirectory,
        options: ImageOptions,
        base_facts: Iterable[Facts],
        used: frozenset[str] | None,
        factory: LayerFactory,
        report: Report,
    ) -> Contents:
        """Lock, install and compile for the platform.

        Raises `NoPythonInBase`, `BuildFailed` when a package has no wheel for the platform.
        """
        minor = self.interpreter.minor
        if options.server and numbers_of(minor) < OLDEST_PYTHON:
            raise InvalidArgument(
                f"The server needs Python 3.11 and the base has {minor}: use `--no-server`."
            )
        python = self._python_of(base_facts, options.base)
        layers: list[CachedLayer] = []
        if options.server:
            layers.append(
                server_layer(factory, self.interpreter.executable, minor, options.bytecode)
            )
        report(f"Installing packages for {self.platform}")
        with self._installed(model, factory.environ) as (folder, key):
            files = list(self._files(folder, python))
            layers.append(self._layer(factory, "packages", key, files))
            if options.bytecode is not Bytecode.NONE:
                wanted = used if options.bytecode is Bytecode.USED else None
                layers.append(self._bytecode(factory, key, files, wanted))
        launch = Launch(server_python=f"/{python}" if options.server else "")
        return Contents(layers=tuple(layers), launch=launch, key=key, python=minor, notes=())

    def _python_of(self, facts: Iterable[Facts], base: str) -> str:
        name = f"python{self.interpreter.minor}"
        for fact in facts:
            for path in fact.get("pythons", ()):
                if PurePosixPath(path).name == name:
                    return str(path)
        raise NoPythonInBase(base, self.interpreter.minor, str(self.platform))

    @contextmanager
    def _installed(
        self, model: ModelDirectory, environ: Mapping[str, str]
    ) -> Iterator[tuple[Path, str]]:
        """Give a virtual environment with the platform's wheels, and the digest of its lock."""
        with tempfile.TemporaryDirectory(prefix="envkit-") as name:
            lock, folder = Path(name, "pylock.toml"), Path(name, "environment")
            platform = f"{self.platform.machine}-unknown-linux-gnu"
            relock(model.path, platform=platform, python=self.interpreter.minor, output_path=lock)
            settings = uv_toml.of_machine(environ)
            common: list[str | Path] = [
                *uv_toml.arguments(settings, Path(name)),
                "--color",
                "never",
            ]
            python = str(self.interpreter.executable)
            _run_uv(["venv", *common, "--no-project", "--python", python, str(folder)], environ)
            _run_uv(
                [
                    *("pip", "sync", "--preview-features", "pylock", *common, "--no-build"),
                    *("--python", str(folder / "bin" / "python")),
                    *("--python-platform", platform, str(lock)),
                ],
                environ,
            )
            digest = hashlib.sha256(lock.read_bytes()).hexdigest()
            yield folder, digest

    def _files(self, folder: Path, python: str) -> Iterator[Member]:
        """Yield the environment's files, which refer to the interpreter of the base."""
        minor = self.interpreter.minor
        own = {
            virtual.CONFIGURATION: Member(
                name=virtual.CONFIGURATION,
                content=(
                    f"home = /{PurePosixPath(python).parent}\n"
                    "include-system-site-packages = false\n"
                ).encode(),
            ),
            f"bin/python{minor}": Member(name=f"bin/python{minor}", link=f"/{python}"),
        }
        for member in virtual.members(folder, minor):
            yield own.get(member.name, member)

    def _layer(
        self, factory: LayerFactory, kind: str, key: str, files: Iterable[Member]
    ) -> CachedLayer:
        @contextmanager
        def members() -> Iterator[Iterable[Member]]:
            yield files

        decisive = {"layer": kind, "lock": key, "platform": str(self.platform)}
        created_by = f"{kind} for {self.platform}"
        return factory.cached(created_by, places.ENVIRONMENT, decisive, members)

    def _bytecode(
        self,
        factory: LayerFactory,
        key: str,
        files: Iterable[Member],
        used: frozenset[str] | None,
    ) -> CachedLayer:
        python = self.interpreter

        @contextmanager
        def members() -> Iterator[Iterable[Member]]:
            with compiled(
                files,
                places.ENVIRONMENT,
                python.executable,
                python.minor,
                factory.environ,
                None if used is None else lambda module, _: module in used,
            ) as compiled_members:
                yield compiled_members

        decisive = {
            "layer": "bytecode",
            "lock": key,
            "platform": str(self.platform),
            "modules": None if used is None else sorted(used),
        }
        created_by = f"bytecode for {self.platform}"
        return factory.cached(created_by, places.ENVIRONMENT, decisive, members)


def _run_uv(arguments: list[str | Path], environ: Mapping[str, str]) -> None:
    own = variables.for_installer(environ)
    try:
        ended = process.run(
            [uv.program(), *arguments], environment=own, timeout=_SECONDS, keep_output=True
        )
    except OSError as error:
        raise BuildFailed("start uv", os.strerror(error.errno or 0)) from error
    if not ended.succeeded:
        raise BuildFailed(f"run uv {arguments[0]}", redaction.redacted(ended.output)[-2000:])
