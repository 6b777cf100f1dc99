"""Who runs a program in an environment keeps it from being pruned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from envkit.environments.environment import Environment
from envkit.environments.store.store import Store


@contextmanager
def occupied(environment: Environment) -> Iterator[tuple[int, ...]]:
    """Keep an environment from being removed while the block runs; one that is not of a store needs nothing.

    Gives the descriptors that programs in it are to inherit, so that one that lives on keeps it
    too.
    """
    if environment.key:
        descriptor = Store(root=environment.path.parents[1]).use(environment.path)
    else:
        descriptor = None
    try:
        yield () if descriptor is None else (descriptor,)
    finally:
        if descriptor is not None:
            os.close(descriptor)
