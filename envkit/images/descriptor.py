"""Descriptors: how images name content, by media type, digest and size.

https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Descriptor:
    """One piece of content. platform: of an image in an index, as JSON."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)
    artifact_type: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the JSON value, without empty fields."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        if self.platform:
            value["platform"] = dict(self.platform)
        if self.annotations:
            value["annotations"] = dict(sorted(self.annotations.items()))
        return value

    @classmethod
    def from_json(cls, value: object) -> Descriptor:
        """Check a descriptor that others wrote. Raises `ValueError`."""
        if not isinstance(value, dict):
            raise ValueError("a descriptor is not a JSON object")  # noqa: TRY004 - one error for all
        digest, size = value.get("digest"), value.get("size")
        if not isinstance(digest, str) or not is_digest(digest):
            raise ValueError(f"{digest!r} is not a SHA-256 digest")
        if type(size) is not int or size < 0:
            raise ValueError(f"{size!r} is not the size of {digest}")
        return cls(
            media_type=str(value.get("mediaType", "")),
            digest=digest,
            size=size,
            annotations=_texts(value.get("annotations")),
            platform=_mapping(value.get("platform")),
            artifact_type=str(value.get("artifactType", "")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A descriptor with its content: bytes, or the file that has them."""

    descriptor: Descriptor
    content: bytes | Path

    def read(self) -> bytes:
        """Read the whole content. Raises `OSError`."""
        if isinstance(self.content, Path):
            return self.content.read_bytes()
        return self.content


def descriptors(value: object) -> list[Descriptor]:
    """Check a list of descriptors from outside; empty if it is absent. Raises `ValueError`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("a list of descriptors is not a list")  # noqa: TRY004 - one error for all
    return [Descriptor.from_json(entry) for entry in value]


def json_blob(media_type: str, value: Mapping[str, Any], **facts: Any) -> Blob:
    """Make the blob of a JSON document; equal values give equal bytes."""
    content = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return bytes_blob(media_type, content, **facts)


def bytes_blob(media_type: str, content: bytes, **facts: Any) -> Blob:
    """Make the blob of bytes; `facts` are further fields of its descriptor."""
    descriptor = Descriptor(
        media_type=media_type, digest=digest_of(content), size=len(content), **facts
    )
    return Blob(descriptor=descriptor, content=content)


def digest_of(content: bytes) -> str:
    """Give the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 digest, the only kind that registries use."""
    return _DIGEST.fullmatch(text) is not None


def parse_json(content: bytes) -> dict[str, Any]:
    """Read a JSON object that others wrote. Raises `ValueError`."""
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    return _mapping(value, required=True)


def _mapping(value: object, *, required: bool = False) -> dict[str, Any]:
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - one error for all
    return value


def _texts(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in _mapping(value).items()}
