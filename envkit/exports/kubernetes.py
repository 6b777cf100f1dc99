"""Kubernetes: a Deployment and a Service for each model.

https://kubernetes.io/docs/reference/kubernetes-api/
https://kubernetes.io/docs/concepts/security/pod-security-standards/ (restricted)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from envkit.exports.service import MEGABYTE, ExportedFile, Service
from envkit.formats.document import dump_yaml
from envkit.images import places

_GRACE_SECONDS = 130  # the server's own patience with requests at work, and some more


def files(services: Sequence[Service]) -> Iterator[ExportedFile]:
    """Give one file a model. Values of variables come from a Secret that the user makes."""
    for service in services:
        documents = (_deployment(service), _network_service(service))
        text = "---\n".join(dump_yaml(document) for document in documents)
        yield ExportedFile(name=f"{service.name}.yaml", text=text)


def secret_name(service: Service) -> str:
    """Name the Secret with the values of a model's variables."""
    return f"{service.name}-variables"


def _deployment(service: Service) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": service.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": service.name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(service)},
        },
    }


def _pod(service: Service) -> dict[str, Any]:
    user, group = (int(number) for number in service.user.split(":"))
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": user != 0,
            "runAsUser": user,
            "runAsGroup": group,
            "fsGroup": group,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(service)],
        "volumes": [{"name": "temporary", "emptyDir": {}}],
    }


def _container(service: Service) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "model",
        "image": service.image,
        "args": ["serve", "--workers", str(service.workers)],
        "ports": [{"name": "http", "containerPort": places.PORT}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "250m", "memory": f"{service.memory // MEGABYTE}Mi"},
            "limits": {"memory": f"{service.memory_limit // MEGABYTE}Mi"},
        },
        # loading may take minutes: only then does the other probe count
        "startupProbe": {**_probe("/readyz"), "periodSeconds": 2, "failureThreshold": 300},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 5},
        "livenessProbe": {**_probe("/livez"), "periodSeconds": 10},
        "volumeMounts": [{"name": "temporary", "mountPath": f"/{places.TEMPORARY}"}],
    }
    if service.variables:
        container["envFrom"] = [{"secretRef": {"name": secret_name(service)}}]
    return container


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 5}


def _network_service(service: Service) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": service.name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service.name, "labels": labels},
        "spec": {
            "selector": labels,
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }
