"""What an image says about where it comes from.

https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version

from envkit.formats import pylock_toml
from envkit.images.image import BaseImage
from envkit.models.directory import ModelDirectory

_STANDARD = "org.opencontainers.image"
_OWN = "io.envkit"


def of_image(
    model: ModelDirectory, base: BaseImage, key: str, python: str, model_digest: str
) -> dict[str, str]:
    """Describe an image for one platform. model_digest: of the tar of its model."""
    described = {
        **of_index(model),
        f"{_STANDARD}.base.name": base.name,
        f"{_STANDARD}.base.digest": base.digest,
        f"{_OWN}.environment": key,
        f"{_OWN}.python": python,
        f"{_OWN}.model": model_digest,
        f"{_OWN}.lock": _lock_digest(model),
    }
    return {name: text for name, text in described.items() if text}


def of_index(model: ModelDirectory) -> dict[str, str]:
    """Describe what holds for all platforms."""
    return {f"{_STANDARD}.title": model.path.name, f"{_OWN}.version": version("envkit")}


def _lock_digest(model: ModelDirectory) -> str:
    path = model.file(pylock_toml.FILE_NAME)
    if path is None:
        return ""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
