"""systemd: a unit for each model, without containers.

https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envkit.exports.service import MEGABYTE, ExportedFile, Service

PROGRAM = "/opt/envkit/bin/envkit"
MODELS = "/opt/models"
_CONFINED = (
    "DynamicUser=yes",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "CapabilityBoundingSet=",
    "UMask=0077",
)


def files(services: Sequence[Service]) -> Iterator[ExportedFile]:
    """Give one unit a model.

    envkit lies in `/opt/envkit`, a model in `/opt/models/NAME/model` with its environment, an
    unpacked archive of `envkit pack`, next to it.
    """
    for service in services:
        yield ExportedFile(name=f"{service.name}.service", text=_unit(service))


def _unit(service: Service) -> str:
    folder = f"{MODELS}/{service.name}"
    command = (
        f"{PROGRAM} serve {folder}/model --environment {folder}/environment "
        f"--host 127.0.0.1 --port {service.port} --workers {service.workers}"
    )
    lines = [
        "[Unit]",
        f"Description=Model {service.name}",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={command}",
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStartSec=600",
        "TimeoutStopSec=130",
        "KillMode=mixed",
        f"MemoryMax={service.memory_limit // MEGABYTE}M",
        *_variables(service),
        *_CONFINED,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _variables(service: Service) -> Iterator[str]:
    if service.variables:
        names = ", ".join(variable.name for variable in service.variables)
        yield f"# The model reads {names}."
        yield f"EnvironmentFile=/etc/envkit/{service.name}.env"
