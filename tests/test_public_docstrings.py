"""The docstrings of the public names: every parameter is documented, and examples are true."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import envkit.flavors
from envkit import models, pyfunc
from envkit.models import data_types, schema, signature
from envkit.models.inference import schemas

FLAVORS = sorted(
    path.stem
    for path in Path(envkit.flavors.__file__ or "").parent.glob("*.py")
    if not path.stem.startswith("_")
)
OWN = ("envkit.models.", "envkit.pyfunc.", "envkit.flavors.")
FLAVOR_FUNCTIONS = (
    "get_default_conda_env",
    "get_default_pip_requirements",
    "load_model",
    "log_model",
    "save_model",
)


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the functions and methods of the three namespaces, by their dotted names."""
    for namespace in (models, pyfunc):
        for name in namespace.__all__:
            value = getattr(namespace, name)
            module = getattr(value, "__module__", "")
            if not module.startswith(OWN):
                continue
            if inspect.isclass(value):
                yield from methods(f"{namespace.__name__}.{name}", value)
            else:
                yield f"{namespace.__name__}.{name}", value
    for flavor in FLAVORS:
        module = import_module(f"envkit.flavors.{flavor}")
        for name in FLAVOR_FUNCTIONS:
            yield f"envkit.flavors.{flavor}.{name}", getattr(module, name)


def methods(name: str, cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public methods that a class defines itself."""
    for method, value in vars(cls).items():
        function = value.__func__ if isinstance(value, classmethod) else value
        if inspect.isfunction(function) and not method.startswith("_"):
            yield f"{name}.{method}", function


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_of_a_public_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]
    text = inspect.getdoc(function) or ""
    documented = set(re.findall(r"^    \*{0,2}(\w+): ", text, re.MULTILINE))
    # The parameters that a function forwards are documented one by one, or together as `**options`.
    own = set(inspect.signature(getattr(function, "__wrapped__", function)).parameters)
    shown = set(inspect.signature(function).parameters)

    assert text
    assert own - {"self", "cls"} <= documented or shown <= documented


@pytest.mark.parametrize("module", [data_types, schema, schemas, signature])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
