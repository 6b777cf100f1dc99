"""The libraries whose models envkit saves and loads, one a module: `envkit.flavors.sklearn`, …

Each has `save_model`, `load_model`, `log_model`, `_load_pyfunc`, `get_default_pip_requirements` and
`get_default_conda_env`, with the parameters of MLflow's module of the same name. A library is
imported when one of these is called.
"""

from __future__ import annotations

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

    return sorted(
        {
            *globals(),
            *(each.name for each in iter_modules(__path__) if not each.name.startswith("_")),
        }
    )
