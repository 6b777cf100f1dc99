"""What a model asks conda for: channels, match specs, a lock; and what of it decides the environment."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.environments.conda import channels, machine
from envkit.environments.conda.channels import Channel
from envkit.environments.local_files import path_of_url
from envkit.errors import InvalidFile
from envkit.formats import conda_yaml, condarc
from envkit.formats.condarc import Condarc
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec

_PATCH_VERSION = re.compile(r"python={1,2}(\d+\.\d+\.\d+)")
_SUBDIRS = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "i686"): "linux-32",
    ("darwin", "x86_64"): "osx-64",
    ("darwin", "arm64"): "osx-arm64",
}


def subdir() -> str:
    """Give conda's name of this machine's platform: `linux-64`, `linux-aarch64`, `osx-arm64`."""
    machine = platform.machine()
    return _SUBDIRS.get((sys.platform, machine), f"{sys.platform}-{machine}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaNeeds:
    """What is asked of conda.

    directory: the model's. named: the channels as `conda.yaml` names them. channels: their URLs.
    specs: match specs, Python's among them; channels in them are URLs. lock: the model's
    `pixi.lock`. settings: conda's own. variables: those that `conda.yaml` sets for programs in the
    environment. policy: which Python may take the place of the one that is asked for, when that
    cannot be had.
    """

    directory: Path
    named: tuple[str, ...]
    channels: tuple[Channel, ...]
    specs: tuple[str, ...]
    lock: Path | None
    settings: Condarc
    variables: tuple[tuple[str, str], ...] = ()
    policy: PythonPolicy = PythonPolicy.MINOR

    @property
    def patch_version(self) -> str:
        """The Python that is asked for, when that is one patch version (`3.11.7` of `python=3.11.7`); else empty."""
        found = (_PATCH_VERSION.fullmatch("".join(each.split())) for each in self.specs)
        return next((each[1] for each in found if each), "")

    def with_other_patch_version(self) -> CondaNeeds | None:
        """Ask for any patch version of the same Python, where that is another question and the policy lets us."""
        version = self.patch_version
        if not version or self.policy is PythonPolicy.EXACT:
            return None
        minor = version.rpartition(".")[0]
        specs = (
            f"python={minor}" if _PATCH_VERSION.fullmatch("".join(each.split())) else each
            for each in self.specs
        )
        return replace(self, specs=tuple(specs), lock=None)

    @property
    def secrets(self) -> frozenset[str]:
        """What must not appear in messages."""
        return frozenset(secret for channel in self.channels for secret in channel.secrets)

    @property
    def logins(self) -> dict[str, object]:
        """The channels' credentials, as rattler reads them from a file."""
        return {host: login for channel in self.channels for host, login in channel.login.items()}

    @property
    def rewritten(self) -> list[list[str]]:
        """Where this machine has the channels that a lock from elsewhere names."""
        return [
            [each.source, each.url] for each in self.channels if each.source not in ("", each.url)
        ]

    def decisive(
        self, digest: Callable[[Path], str], environ: Mapping[str, str]
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Give what decides the environment, in words without credentials.

        A channel inside the model is told by its content. `CONDA_OVERRIDE_…` say what the machine
        is to be taken for; what it is decides only where no lock says what is installed.
        """
        told = tuple(
            sorted(
                f"{name}={environ[name]}" for name in environ if name.startswith("CONDA_OVERRIDE_")
            )
        )
        return (
            ("conda_channels", tuple(self._told(each.url, digest) for each in self.channels)),
            ("conda_specs", tuple(sorted({"".join(each.split()) for each in self.specs}))),
            ("conda_lock", (_digest_of_text(self.lock),) if self.lock is not None else ()),
            ("conda_overrides", told),
            ("conda_machine", () if _is_locked(self.lock) else tuple(machine.facts(environ))),
            (
                "conda_python",
                (self.policy.value,)
                if self.policy is PythonPolicy.EXACT and self.patch_version
                else (),
            ),
            ("conda_variables", tuple(sorted(f"{name}={value}" for name, value in self.variables))),
        )

    def _told(self, url: str, digest: Callable[[Path], str]) -> str:
        folder = path_of_url(url, self.directory)
        if folder is None or not folder.is_dir() or not folder.is_relative_to(self.directory):
            return url
        return f"{folder.relative_to(self.directory)}#{digest(folder)}"


def of(
    spec: EnvironmentSpec, environ: Mapping[str, str], policy: PythonPolicy = PythonPolicy.MINOR
) -> CondaNeeds:
    """Work out what a spec asks of conda on this machine. Raises `InvalidFile` for a malformed file of settings."""
    settings = condarc.of_machine(environ, Path.home())
    directory = spec.directory
    python: tuple[str, ...] = (f"python={spec.python}",)
    if any(conda_yaml.name_of(each) == "python" for each in spec.conda_specs):
        python = ()
    named = tuple(each for each in spec.conda_channels if each.strip() != "nodefaults")
    specs = list(channels.in_specs((*spec.conda_specs, *python), settings, directory, environ))
    found = {each.url: each for each in channels.resolved(named, settings, directory, environ)}
    for _, channel in specs:
        if channel is not None:
            found.setdefault(channel.url, channel)
    return CondaNeeds(
        directory=directory,
        named=named,
        channels=tuple(found.values()),
        specs=tuple(each for each, _ in specs),
        lock=spec.conda_lock,
        settings=settings,
        variables=spec.conda_variables,
        policy=policy,
    )


def _is_locked(lock: Path | None) -> bool:
    """Whether a lock holds for this platform, as far as can be told without parsing it at each use."""
    try:
        return lock is not None and subdir().encode() in lock.read_bytes()
    except OSError as error:
        raise InvalidFile(lock or Path(), "", f"cannot be read ({error.strerror})") from error


def _digest_of_text(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error
