"""Show the parameters that a function forwards in its signature, for `help` and for editors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def forwards_to(
    target: Callable[..., Any], without: str = ""
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that forwards its `**options` to `target`.

    Its signature shows the keyword-only parameters of `target` instead, except the one called
    `without`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        own = inspect.signature(function)
        explicit = [
            parameter
            for parameter in own.parameters.values()
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        names = {without, *(parameter.name for parameter in explicit)}
        forwarded = [
            parameter
            for parameter in inspect.signature(target).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in names
        ]
        shown = own.replace(parameters=[*explicit, *forwarded])

        @wraps(function)
        def forwarding(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **kwargs)

        forwarding.__signature__ = shown  # type: ignore[attr-defined]
        return forwarding

    return decorate
