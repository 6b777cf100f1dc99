"""Save and load the models of libraries, one library a module: `envkit.flavors.sklearn` and others.

Each module has the names and parameters of MLflow's module: `save_model`, `load_model`,
`log_model`, `get_default_pip_requirements`, `get_default_conda_env` and `_load_pyfunc`. A library
is imported when one of them is called.
"""

from __future__ import annotations

# Type checkers know the name; importing `typing` would take longer than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    from importlib import import_module
    from importlib.util import find_spec

    if name.startswith("_") or find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    from pkgutil import iter_modules

    flavors = {module.name for module in iter_modules(__path__) if not module.name.startswith("_")}
    return sorted({*globals(), *flavors})
