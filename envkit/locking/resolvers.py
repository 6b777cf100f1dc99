"""Which resolvers there are, and who is asked when nobody is named."""

from __future__ import annotations

import os

from envkit.errors import InvalidArgument
from envkit.locking import indexes
from envkit.locking.query import Resolver
from envkit.locking.uv import Uv


def resolver_named(name: str | None) -> Resolver | None:
    """Give the resolver of this name, `uv` or `pip-tools`; None for None. Raises `InvalidArgument` for another."""
    if name is None:
        return None
    if name not in ("uv", "pip-tools"):
        raise InvalidArgument(f"There is no resolver {name!r}; it is uv or pip-tools.")
    if name == "uv":
        return Uv()
    return _pip_tools()


def default() -> list[Resolver]:
    """uv; and pip-tools, for what uv does not know, where pip is told of other places than uv."""
    if indexes.pip_has_its_own(os.environ):
        return [Uv(), _pip_tools()]
    return [Uv()]


def _pip_tools() -> Resolver:
    from envkit.locking.pip_tools import PipTools

    return PipTools()
