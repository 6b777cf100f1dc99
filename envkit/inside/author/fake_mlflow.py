"""The small part of `envkit` and of `mlflow` that a model's code may ask for where neither is installed.

It is what a model is derived from, what registers a model from code, and what pickles of MLflow
name. What is asked of it beyond that fails as what is not installed does, and is remembered in
`Surface.refused`.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

from . import base_classes, chat, registry

CHAT = {
    name: value
    for name, value in vars(chat).items()
    if isinstance(value, type) and value.__module__ == chat.__name__
}


class MlflowException(Exception):
    """In place of MLflow's."""


class FunctionPythonModel(base_classes.PythonModel):
    """In place of MLflow's model of a function, as its pickles have it."""

    func: Callable[..., Any]

    @property
    def predict_type_hints(self) -> Any:
        """What the type hints of the function say."""
        return base_classes.type_hints(self.func)

    def predict(self, model_input: Any, params: Any = None) -> Any:  # type: ignore[override]  # noqa: ARG002 - MLflow's
        """Call the function."""
        return self.func(model_input)


class Hints:
    """In place of MLflow's record of type hints."""

    def __init__(self, input: Any = None, output: Any = None) -> None:  # noqa: A002 - MLflow's name
        self.input, self.output = input, output


class FuncInfo(NamedTuple):
    """In place of MLflow's record of a function's input."""

    input_type_hint: Any = None
    input_param_name: str = ""


# of the code that runs
configuration: "ContextVar[Any]" = ContextVar("envkit_model_config", default=None)


class ModelConfig:
    """In place of `mlflow.models.ModelConfig`: what a model from code is configured with."""

    def __init__(self, *, development_config: Any = None) -> None:
        given = configuration.get()
        self._config = given if given is not None else development_config or {}

    def to_dict(self) -> Dict[str, Any]:
        """Give all of it."""
        return dict(self._config)

    def get(self, key: str) -> Any:
        """Give one value. Raises `KeyError`."""
        return self._config[key]


def validated(args: Any, kwargs: Any, place: int, hint: Any, name: str) -> Any:
    """In place of MLflow's check of an input: models of pydantic are made of objects."""
    if name in kwargs:
        return args, {**kwargs, name: base_classes.converted(kwargs[name], hint)}
    if len(args) > place:
        return (
            *args[:place],
            base_classes.converted(args[place], hint),
            *args[place + 1 :],
        ), kwargs
    return args, kwargs


def unchanged(function: Any = None, **_: Any) -> Any:
    """In place of MLflow's decorator of functions."""
    return function


MODELS = {
    "PythonModel": base_classes.PythonModel,
    "PythonModelContext": base_classes.PythonModelContext,
    "ChatModel": base_classes.ChatModel,
}
ENVKIT: Mapping[str, Mapping[str, Any]] = {
    "envkit": {},
    "envkit.pyfunc": {**MODELS, **CHAT},
    "envkit.models": {"set_model": registry.register},
}
MLFLOW: Mapping[str, Mapping[str, Any]] = {
    "mlflow": {},
    "mlflow.exceptions": {"MlflowException": MlflowException},
    "mlflow.models": {"set_model": registry.register, "ModelConfig": ModelConfig},
    "mlflow.models.model": {"set_model": registry.register},
    "mlflow.models.model_config": {"ModelConfig": ModelConfig},
    "mlflow.models.signature": {"_TypeHints": Hints},
    "mlflow.pyfunc": {**MODELS, "set_model": registry.register},
    "mlflow.pyfunc.model": {**MODELS, "_FunctionPythonModel": FunctionPythonModel},
    "mlflow.pyfunc.utils": {"pyfunc": unchanged},
    "mlflow.pyfunc.utils.data_validation": {
        "FuncInfo": FuncInfo, "MlflowException": MlflowException, "_validate_model_input": validated
    },
    "mlflow.types": {},
    "mlflow.types.llm": CHAT,
}  # fmt: skip


class Surface(MetaPathFinder, Loader):
    """Supplies the modules of one package.

    instead: they stand in the place of what is installed, of which nothing else is to be had
    either.
    """

    def __init__(self, modules: Mapping[str, Mapping[str, Any]], *, instead: bool = False) -> None:
        self.modules, self.instead = modules, instead
        self.top = next(iter(modules))
        self.refused: List[str] = []

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: Any = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find a module that is supplied; refuse others of the package where it is not to be had."""
        if fullname in self.modules:
            return ModuleSpec(fullname, self, is_package=True)
        if self.instead and fullname.partition(".")[0] == self.top:
            self.refused.append(fullname)
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make it, with what lies below the installed one, if there is one and it is not replaced."""
        module = ModuleType(spec.name)
        real = None if self.instead else _real(spec.name)
        spec.submodule_search_locations = (
            list(real.submodule_search_locations or ()) if real else []
        )
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        name = module.__name__
        module.__dict__.update(self.modules[name])
        module.__dict__["__getattr__"] = lambda attribute: self._attribute(name, attribute)

    def _attribute(self, module: str, name: str) -> Any:
        whole = f"{module}.{name}"
        if whole in self.modules:
            return import_module(whole)
        if self.instead or name.startswith("__"):
            real = None
        else:
            real = _real(module)
        if real is not None and real.loader is not None:
            loaded = module_from_spec(real)
            real.loader.exec_module(loaded)
            return getattr(loaded, name)
        if not name.startswith("__"):
            self.refused.append(whole)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _real(name: str) -> ModuleSpec | None:
    """What is installed under that name, found without asking the surface."""
    path = None
    found = None
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        found = PathFinder.find_spec(".".join(parts[:end]), path)
        if found is None:
            return None
        path = found.submodule_search_locations
    return found


def supply(*, without_mlflow: bool = False) -> Surface:
    """Supply both packages to this program; of `mlflow` what is installed goes first unless it is to do without."""
    sys.meta_path.insert(0, Surface(ENVKIT))
    return supply_mlflow(instead=without_mlflow)


def supply_mlflow(*, instead: bool = False) -> Surface:
    """Supply `mlflow` where it is not installed, or in its place; give what was made, for `withdraw`."""
    surface = Surface(MLFLOW, instead=instead)
    sys.meta_path.insert(0 if instead else len(sys.meta_path), surface)
    return surface


def supplied() -> List[str]:
    """Name the packages that are supplied, not installed ones."""
    found = [each for each in sys.meta_path if isinstance(each, Surface)]
    return [each.top for each in found if each.instead or _real(each.top) is None]


def withdraw(surface: Surface) -> None:
    """Supply it no longer: another program may ask whether `mlflow` is installed."""
    sys.meta_path.remove(surface)
    for name in surface.modules:
        module = sys.modules.get(name)
        if getattr(module, "__loader__", None) is surface:
            del sys.modules[name]
