"""Docker Compose: https://github.com/compose-spec/compose-spec/blob/main/spec.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from envkit.exports.service import MEGABYTE, ExportedFile, Service
from envkit.formats.document import dump_yaml
from envkit.images import places

FILE_NAME = "compose.yaml"


def files(services: Sequence[Service]) -> Iterator[ExportedFile]:
    """Give `compose.yaml`: each service confined, published on a port of this machine alone."""
    content = {"services": {service.name: _service(service) for service in services}}
    yield ExportedFile(name=FILE_NAME, text=dump_yaml(content))


def _service(service: Service) -> dict[str, Any]:
    described: dict[str, Any] = {
        "image": service.image,
        "command": ["serve", "--workers", str(service.workers)],
        "user": service.user,
        "read_only": True,
        "tmpfs": [f"/{places.TEMPORARY}"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ports": [f"127.0.0.1:{service.port}:{places.PORT}"],
        "restart": "unless-stopped",
        "stop_grace_period": "130s",
        "deploy": {
            "resources": {
                "limits": {"memory": f"{service.memory_limit // MEGABYTE}M"},
                "reservations": {"memory": f"{service.memory // MEGABYTE}M"},
            }
        },
    }
    if service.variables:
        # without a value: that of the shell or of `.env`
        described["environment"] = [variable.name for variable in service.variables]
    return described
