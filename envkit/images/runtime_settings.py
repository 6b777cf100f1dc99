"""How an image runs: user, program, variables, health check.

https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envkit.images import places
from envkit.images.layers import server_files

_NANOSECONDS = 1_000_000_000
_PATH = f"/{places.ENVIRONMENT}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SAGEMAKER_PORT = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """The program of an image. server_python: runs the server; empty without one."""

    server_python: str
    model_python: str = f"/{places.ENVIRONMENT}/bin/python"

    @property
    def entrypoint(self) -> list[str]:
        """What is started; arguments follow it."""
        if self.server_python:
            # without `site`: the model's packages are not the server's
            return [self.server_python, "-I", "-S", f"/{places.SERVER}"]
        return [self.model_python]

    @property
    def arguments(self) -> list[str]:
        """What follows unless a user says otherwise; SageMaker says `serve`, too."""
        return ["serve"] if self.server_python else []

    @property
    def health_check(self) -> list[str]:
        """The program that says whether the server can answer, without a shell."""
        return [self.server_python, "-I", "-S", f"/{places.SERVER}/{server_files.HEALTHCHECK}"]


def variables() -> dict[str, str]:
    """Give the variables of an image. Nothing there may be written but the temporary folder."""
    return {
        "PATH": _PATH,
        "HOME": f"/{places.TEMPORARY}",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ENVKIT_ENVIRONMENT": f"/{places.ENVIRONMENT}",
    }


def runtime_settings(launch: Launch, user: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Give the `config` of an image's configuration."""
    settings: dict[str, Any] = {
        "User": user,
        "WorkingDir": "/",
        "Env": [f"{name}={value}" for name, value in variables().items()],
        "Entrypoint": launch.entrypoint,
        "StopSignal": "SIGTERM",
        "Labels": dict(sorted(labels.items())),
    }
    if launch.server_python:
        settings["Cmd"] = launch.arguments
        settings["ExposedPorts"] = {f"{places.PORT}/tcp": {}}
        settings["Labels"] = {_SAGEMAKER_PORT: "true", **settings["Labels"]}
        # not in the specification of OCI, but read by Docker, and by podman in Docker's format
        settings["Healthcheck"] = {
            "Test": ["CMD", *launch.health_check],
            "Interval": 30 * _NANOSECONDS,
            "Timeout": 10 * _NANOSECONDS,
            "StartPeriod": 60 * _NANOSECONDS,
            "Retries": 3,
        }
    return settings
