"""Which resolvers there are, and which one is used by default."""

from __future__ import annotations

import os

from envkit.errors import InvalidArgument
from envkit.locking import indexes
from envkit.locking.query import Resolver
from envkit.locking.uv import Uv


def resolver_named(name: str | None) -> Resolver | None:
    """Give the resolver `uv` or `pip-tools`; None for None. Raises `InvalidArgument`."""
    if name is None:
        return None
    if name == "uv":
        return Uv()
    if name == "pip-tools":
        return _pip_tools()
    raise InvalidArgument(f"There is no resolver {name!r}. Use uv or pip-tools.")


def default() -> list[Resolver]:
    """uv; then pip-tools, for what uv does not know, where pip is configured with other indexes."""
    if indexes.pip_has_its_own(os.environ):
        return [Uv(), _pip_tools()]
    return [Uv()]


def _pip_tools() -> Resolver:
    # few machines need it
    from envkit.locking.pip_tools import PipTools

    return PipTools()
