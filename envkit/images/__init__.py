"""Container images of models: `build_image`, `generate_dockerfile`."""

from __future__ import annotations

# type checkers know it by this name; importing `typing` would cost more than all the rest
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envkit.images.build import BuiltImage, BuiltLayer, build_image
    from envkit.images.dockerfile import GeneratedDockerfile, generate_dockerfile

_HOME = {
    "BuiltImage": "envkit.images.build",
    "BuiltLayer": "envkit.images.build",
    "GeneratedDockerfile": "envkit.images.dockerfile",
    "build_image": "envkit.images.build",
    "generate_dockerfile": "envkit.images.dockerfile",
}
__all__ = [
    "BuiltImage",
    "BuiltLayer",
    "GeneratedDockerfile",
    "build_image",
    "generate_dockerfile",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module 'envkit.images' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
