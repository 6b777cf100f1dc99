"""Keep an environment from being removed while a program runs in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from envkit.environments.environment import Environment
from envkit.environments.store.store import Store


@contextmanager
def occupied(environment: Environment) -> Iterator[tuple[int, ...]]:
    """Keep an environment from being removed while the block runs.

    One outside a store needs nothing.

    Yields the descriptors that programs in it inherit, so that one that lives on keeps it too.
    """
    if not environment.key:
        yield ()
        return
    store = Store(root=environment.path.parents[1])
    descriptor = store.use(environment.path)
    if descriptor is None:
        yield ()
        return
    try:
        yield (descriptor,)
    finally:
        os.close(descriptor)
