"""Container images of models: `envkit.images.build_image`."""

from __future__ import annotations

# type checkers know it by this name; importing `typing` would cost more than all the rest
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envkit.images.build import BuiltImage, BuiltLayer, build_image

__all__ = ["BuiltImage", "BuiltLayer", "build_image"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'envkit.images' has no attribute {name!r}")
    value = getattr(import_module("envkit.images.build"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
