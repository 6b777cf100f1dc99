"""Open registries, where the library for that is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envkit.errors import ToolNotFound
from envkit.images.references import Reference

if TYPE_CHECKING:
    from envkit.images.registry.repository import Repository


def repository(
    reference: Reference, environ: Mapping[str, str], *, pushes: bool = False
) -> Repository:
    """Connect to a repository. Raises `ToolNotFound` without httpx, `InvalidFile` for logins."""
    try:
        from envkit.images.registry.repository import Repository
    except ModuleNotFoundError as error:
        raise ToolNotFound(
            str(error.name), "Registries need it: install envkit's extra `images`."
        ) from error
    return Repository(reference, environ, pushes=pushes)
