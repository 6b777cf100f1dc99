"""What a model asks of conda, and what of it decides the environment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.child.variables import Variables
from envkit.environments.conda import channels, machine
from envkit.environments.conda.channels import Channel
from envkit.environments.local_files import path_of_url
from envkit.errors import InvalidFile
from envkit.formats import conda_yaml
from envkit.formats.condarc import Condarc
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec

_PATCH_VERSION = re.compile(r"python={1,2}(\d+\.\d+\.\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaRequest:
    """What is requested of conda.

    directory: the model's. named: the channels as `conda.yaml` names them. channels: their URLs.
    specs: match specs, Python's among them; channels in them are URLs. named_specs: the same, with
    channels as `conda.yaml` names them. lock: the model's
    `pixi.lock`. settings: conda's own. variables: those that `conda.yaml` sets for programs in the
    environment. policy: which Python may replace the requested one, when that is not available.
    """

    directory: Path
    named: tuple[str, ...]
    channels: tuple[Channel, ...]
    specs: tuple[str, ...]
    named_specs: tuple[str, ...]
    lock: Path | None
    settings: Condarc
    variables: tuple[tuple[str, str], ...] = ()
    policy: PythonPolicy = PythonPolicy.MINOR

    @property
    def python(self) -> str:
        """The match spec of Python."""
        for spec in self.specs:
            if spec.startswith("python"):
                return spec
        return "python"

    @property
    def patch_version(self) -> str:
        """The Python version, when one patch version is requested (`python=3.11.7`); else empty."""
        for spec in self.specs:
            match = _python_with_patch(spec)
            if match is not None:
                return match[1]
        return ""

    def with_other_patch_version(self) -> CondaRequest | None:
        """Request any patch version of the same Python.

        None when that changes nothing or the policy does not allow it.
        """
        version = self.patch_version
        if not version or self.policy is PythonPolicy.EXACT:
            return None
        minor = version.rpartition(".")[0]
        return replace(
            self,
            specs=_with_python(self.specs, minor),
            named_specs=_with_python(self.named_specs, minor),
            lock=None,
        )

    @property
    def secrets(self) -> frozenset[str]:
        """What must not appear in messages."""
        return frozenset(secret for channel in self.channels for secret in channel.secrets)

    @property
    def logins(self) -> dict[str, object]:
        """The channels' credentials by host, as rattler reads them from a file."""
        return {host: login for channel in self.channels for host, login in channel.login.items()}

    @property
    def rewritten(self) -> list[list[str]]:
        """Pairs of URLs of channels: the one that a lock from elsewhere names, and the one here."""
        return [
            [channel.source, channel.url]
            for channel in self.channels
            if channel.source not in ("", channel.url)
        ]

    def decisive(
        self, digest: Callable[[Path], str], environ: Variables
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return what decides the environment, in words without credentials.

        A channel inside the model is identified by its content. `CONDA_OVERRIDE_…` say as what the
        machine counts; what it is decides only where no lock says what is installed.
        """
        specs = {_without_spaces(spec) for spec in self.specs}
        overrides = {
            f"{name}={value}"
            for name, value in environ.items()
            if name.startswith("CONDA_OVERRIDE_")
        }
        lock, machine_facts, python = [], [], []
        if self.lock is not None:
            lock = [_digest_of_file(self.lock)]
        if not _is_locked(self.lock):
            machine_facts = list(machine.facts(environ))
        if self.policy is PythonPolicy.EXACT and self.patch_version:
            python = [self.policy.value]
        return (
            ("conda_channels", tuple(self._identity(each.url, digest) for each in self.channels)),
            ("conda_specs", tuple(sorted(specs))),
            ("conda_lock", tuple(lock)),
            ("conda_overrides", tuple(sorted(overrides))),
            ("conda_machine", tuple(machine_facts)),
            ("conda_python", tuple(python)),
            ("conda_variables", tuple(sorted(f"{name}={value}" for name, value in self.variables))),
        )

    def _identity(self, url: str, digest: Callable[[Path], str]) -> str:
        folder = path_of_url(url, self.directory)
        if folder is None or not folder.is_dir() or not folder.is_relative_to(self.directory):
            return url
        return f"{folder.relative_to(self.directory)}#{digest(folder)}"


def of(
    spec: EnvironmentSpec,
    environ: Variables,
    settings: Condarc,
    policy: PythonPolicy = PythonPolicy.MINOR,
) -> CondaRequest:
    """Work out what a spec asks of conda on this machine, whose conda has these settings."""
    directory = spec.directory
    requested = list(spec.conda_specs)
    if not any(conda_yaml.name_of(each) == "python" for each in requested):
        requested.append(f"python={spec.python}")
    named = tuple(name for name in spec.conda_channels if name.strip() != "nodefaults")
    by_url = {
        channel.url: channel for channel in channels.resolved(named, settings, directory, environ)
    }
    specs, named_specs = [], []
    for as_named, (text, channel) in zip(
        requested, channels.in_specs(requested, settings, directory, environ), strict=True
    ):
        specs.append(text)
        if channel is not None:
            by_url.setdefault(channel.url, channel)
        # a channel by its name is known to conda's own settings only
        is_named = channel is not None and channel.source != ""
        named_specs.append(as_named if is_named else text)
    return CondaRequest(
        directory=directory,
        named=named,
        channels=tuple(by_url.values()),
        specs=tuple(specs),
        named_specs=tuple(named_specs),
        lock=spec.conda_lock,
        settings=settings,
        variables=spec.conda_variables,
        policy=policy,
    )


def _with_python(specs: tuple[str, ...], version: str) -> tuple[str, ...]:
    return tuple(f"python={version}" if _python_with_patch(spec) else spec for spec in specs)


def _without_spaces(spec: str) -> str:
    return "".join(spec.split())


def _python_with_patch(spec: str) -> re.Match[str] | None:
    return _PATCH_VERSION.fullmatch(_without_spaces(spec))


def _is_locked(lock: Path | None) -> bool:
    """Whether a lock seems to hold for this platform; it is not parsed at each use."""
    if lock is None:
        return False
    return machine.subdir().encode() in _read(lock)


def _digest_of_file(path: Path) -> str:
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidFile(path, "", f"cannot be read ({error.strerror})") from error
