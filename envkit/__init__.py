"""Capture exactly what a machine-learning model needs, and rebuild that environment anywhere.

Each name is imported when it is first used: `import envkit` imports nothing else.
"""

from __future__ import annotations

# Type checkers know it by this name; importing `typing` costs more than the rest of this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envkit.capturing.capture import capture, infer_pip_requirements
    from envkit.capturing.outcome import Capture
    from envkit.environments.env_type import EnvType
    from envkit.environments.environment import Environment
    from envkit.environments.packing.pack import pack
    from envkit.environments.reproduction import predict, prepare_env
    from envkit.errors import EnvkitError
    from envkit.models.dependencies import get_model_dependencies
    from envkit.serving.serve import serve
    from envkit.validating.difference import diff
    from envkit.validating.fixing import fix
    from envkit.validating.validate import validate

__all__ = [
    "Capture",
    "EnvType",
    "Environment",
    "EnvkitError",
    "__version__",
    "capture",
    "diff",
    "fix",
    "get_model_dependencies",
    "infer_pip_requirements",
    "pack",
    "predict",
    "prepare_env",
    "serve",
    "validate",
]

_MODULE_OF = {
    "Capture": "envkit.capturing.outcome",
    "EnvType": "envkit.environments.env_type",
    "Environment": "envkit.environments.environment",
    "EnvkitError": "envkit.errors",
    "capture": "envkit.capturing.capture",
    "diff": "envkit.validating.difference",
    "fix": "envkit.validating.fixing",
    "get_model_dependencies": "envkit.models.dependencies",
    "infer_pip_requirements": "envkit.capturing.capture",
    "pack": "envkit.environments.packing.pack",
    "predict": "envkit.environments.reproduction",
    "prepare_env": "envkit.environments.reproduction",
    "serve": "envkit.serving.serve",
    "validate": "envkit.validating.validate",
}
# After `import envkit`, `envkit.pyfunc` and the others work, too.
_SUBPACKAGES = ("errors", "flavors", "models", "pyfunc", "spark")


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _SUBPACKAGES:
        return import_module(f"envkit.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("envkit")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'envkit' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
