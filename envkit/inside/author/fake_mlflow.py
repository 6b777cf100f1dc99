"""A stand-in for the small part of `envkit` and `mlflow` that a model's code may import.

It has what a model derives from, what registers a model from code, and what pickles of MLflow name.
Importing anything else of them fails, as it does for a package that is not installed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from . import base_classes, chat, registry, type_hints
from .model_config import ModelConfig

Modules = Mapping[str, Mapping[str, Any]]
"""The names in each module."""


class MlflowException(Exception):
    """Stands in for MLflow's."""


class FunctionPythonModel(base_classes.PythonModel):
    """Stands in for MLflow's model of a function, of which MLflow's pickles have an instance."""

    _takes_hints = False  # the function has them

    func: Callable[..., Any]

    @property
    def predict_type_hints(self) -> Any:
        """The type hints of the function."""
        return type_hints.type_hints(self.func)

    def predict(self, model_input: Any, params: Any = None) -> Any:  # type: ignore[override]  # noqa: ARG002 - MLflow's
        """Call the function."""
        return self.func(model_input)


class Hints:
    """Stands in for MLflow's record of type hints."""

    def __init__(self, input: Any = None, output: Any = None) -> None:  # noqa: A002 - MLflow's name
        self.input = input
        self.output = output


class FuncInfo(NamedTuple):
    """Stands in for MLflow's record of a function's input."""

    input_type_hint: Any = None
    input_param_name: str = ""


def validate_model_input(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    position: int,
    hint: Any,
    name: str,
) -> Any:
    """Stand in for MLflow's check of an input against its type hint."""
    return base_classes.conform_argument(args, kwargs, position, name, hint)


def undecorated(function: Any = None, **_: Any) -> Any:
    """Stand in for MLflow's decorator of functions, and change nothing."""
    return function


BASE_CLASSES = {
    "PythonModel": base_classes.PythonModel,
    "PythonModelContext": base_classes.PythonModelContext,
    "ChatModel": base_classes.ChatModel,
}
CHAT_CLASSES = {
    name: value
    for name, value in vars(chat).items()
    if isinstance(value, type) and value.__module__ == chat.__name__
}
ENVKIT: Modules = {
    "envkit": {},
    "envkit.pyfunc": {
        **BASE_CLASSES,
        **CHAT_CLASSES,
        "TypeFromExample": type_hints.TypeFromExample,
    },
    "envkit.models": {"set_model": registry.register, "ModelConfig": ModelConfig},
}
MLFLOW: Modules = {
    "mlflow": {},
    "mlflow.exceptions": {"MlflowException": MlflowException},
    "mlflow.models": {
        "set_model": registry.register,
        "ModelConfig": ModelConfig,
    },
    "mlflow.models.model": {"set_model": registry.register},
    "mlflow.models.model_config": {"ModelConfig": ModelConfig},
    "mlflow.models.signature": {"_TypeHints": Hints},
    "mlflow.pyfunc": {**BASE_CLASSES, "set_model": registry.register},
    "mlflow.pyfunc.model": {
        **BASE_CLASSES,
        "_FunctionPythonModel": FunctionPythonModel,
    },
    "mlflow.pyfunc.utils": {"pyfunc": undecorated},
    "mlflow.pyfunc.utils.data_validation": {
        "FuncInfo": FuncInfo,
        "MlflowException": MlflowException,
        "_validate_model_input": validate_model_input,
    },
    "mlflow.types": {},
    "mlflow.types.llm": CHAT_CLASSES,
    "mlflow.types.type_hints": {"TypeFromExample": type_hints.TypeFromExample},
}


INSTALLED_ATTRIBUTES = ("__file__", "__version__")
"""What else a model may ask of an installed package."""


class SuppliedPackage(MetaPathFinder, Loader):
    """Finds and makes the modules of one package.

    instead: they replace an installed package of that name, of which nothing else can be imported.
    """

    def __init__(self, modules: Modules, *, instead: bool = False) -> None:
        self.modules = modules
        self.instead = instead
        self.top = next(iter(modules))

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: Any = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find a module that is supplied; refuse the others of a package that is replaced."""
        if fullname in self.modules:
            return ModuleSpec(fullname, self, is_package=True)
        if self.instead and fullname.partition(".")[0] == self.top:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the module.

        Its submodules may be those of an installed package that is not replaced.
        """
        installed = None if self.instead else _installed_spec(spec.name)
        spec.submodule_search_locations = []
        if installed is not None and installed.submodule_search_locations is not None:
            spec.submodule_search_locations = list(installed.submodule_search_locations)
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        name = module.__name__
        module.__dict__.update(self.modules[name])
        module.__dict__["__getattr__"] = lambda attribute: self._attribute(name, attribute)

    def _attribute(self, module: str, name: str) -> Any:
        """Give a submodule, or an attribute of the installed module."""
        full_name = f"{module}.{name}"
        if full_name in self.modules:
            return import_module(full_name)
        if not self.instead and (name in INSTALLED_ATTRIBUTES or not name.startswith("__")):
            installed = _installed_spec(module)
            if installed is not None and installed.loader is not None:
                loaded = module_from_spec(installed)
                installed.loader.exec_module(loaded)
                return getattr(loaded, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")


def supply(*, without_mlflow: bool = False) -> None:
    """Supply both packages to this program.

    An installed `mlflow` goes first unless `without_mlflow`.
    """
    sys.meta_path.insert(0, SuppliedPackage(ENVKIT))
    supply_mlflow(instead=without_mlflow)


def supply_mlflow(*, instead: bool = False) -> SuppliedPackage:
    """Supply `mlflow` where it is not installed, or `instead`; give what was made, for `remove`."""
    package = SuppliedPackage(MLFLOW, instead=instead)
    if instead:
        sys.meta_path.insert(0, package)
    else:
        sys.meta_path.append(package)
    return package


def remove(package: SuppliedPackage) -> None:
    """Supply a package no longer: other code of this program may ask whether it is installed."""
    sys.meta_path.remove(package)
    for name in package.modules:
        module = sys.modules.get(name)
        if getattr(module, "__loader__", None) is package:
            del sys.modules[name]


def supplied() -> list[str]:
    """Name the packages of which the supplied modules are used, not installed ones."""
    packages = [finder for finder in sys.meta_path if isinstance(finder, SuppliedPackage)]
    return [
        package.top
        for package in packages
        if package.instead or _installed_spec(package.top) is None
    ]


def _installed_spec(name: str) -> ModuleSpec | None:
    """Find what is installed under that name, without what is supplied."""
    path = None
    spec = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return spec
