"""Documents about an image: its bill of materials, and how it was built.

https://cyclonedx.org/docs/1.6/json/
https://slsa.dev/spec/v1.0/provenance in https://github.com/in-toto/attestation
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from envkit.images.descriptor import Blob, bytes_blob
from envkit.images.image import Image, artifact
from envkit.models.directory import ModelDirectory
from envkit.models.evidence.bill_of_materials import read_bill

BILL_TYPE = "application/vnd.cyclonedx+json"
PROVENANCE_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "urn:envkit:build-image:v1"
_CREATED = "org.opencontainers.image.created"


def attestations(
    model: ModelDirectory, image: Image, parameters: Mapping[str, Any], created: str
) -> Iterator[Image]:
    """Yield the manifests of both documents, for the manifest of an image.

    parameters: what the user chose. Raises `ToolNotFound` without the library `cyclonedx`.
    """
    bill = bytes_blob(BILL_TYPE, read_bill(model.path).encode())
    provenance = _provenance(model, image, parameters)
    for kind, document in ((BILL_TYPE, bill), (PROVENANCE_TYPE, provenance)):
        yield artifact(image.manifest.descriptor, kind, document, {_CREATED: created})


def _provenance(model: ModelDirectory, image: Image, parameters: Mapping[str, Any]) -> Blob:
    manifest = json.loads(image.manifest.read())
    statement = {
        "_type": _STATEMENT,
        "subject": [{"name": model.path.name, "digest": _digest(image.manifest.descriptor.digest)}],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": dict(parameters),
                "resolvedDependencies": list(_dependencies(model, manifest["annotations"])),
            },
            "runDetails": {
                "builder": {"id": "envkit", "version": {"envkit": version("envkit")}},
            },
        },
    }
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"))
    return bytes_blob(PROVENANCE_TYPE, text.encode())


def _dependencies(
    model: ModelDirectory, annotations: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield what the image was made of: the base and the files of the model."""
    base = annotations.get("org.opencontainers.image.base.name")
    digest = annotations.get("org.opencontainers.image.base.digest")
    if base:
        yield {"name": base, **({"digest": _digest(digest)} if digest else {})}
    for path in sorted(model.path.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(model.path).as_posix()
            yield {"name": name, "digest": {"sha256": content}}


def _digest(text: str) -> dict[str, str]:
    algorithm, _, value = text.partition(":")
    return {algorithm: value}
