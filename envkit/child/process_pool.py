"""Work spread over processes of envkit's own, which are started once and share nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import NoReturn, TypeVar

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")
_PIECES = 8  # per process: few enough to cost little, many enough that none waits long for another


def in_processes(
    function: Callable[[_Given], _Result], items: Sequence[_Given], jobs: int
) -> list[_Result]:
    """Apply a function to each item and give the results in order; in this process when there is but one to use.

    jobs: how many processes at most, 0 for one a core. The function, items and results must pickle.
    What the function raises is raised here, once the pieces that were begun are done.
    """
    wanted = min(jobs or os.cpu_count() or 1, len(items))
    if wanted <= 1:
        return [function(each) for each in items]
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        wanted, mp_context=_context(), initializer=_begin, initargs=(dict(os.environ),)
    ) as pool:
        pieces = max(1, len(items) // (wanted * _PIECES))
        try:
            with _held_back():  # a process that is half-started would tell of it
                results = pool.map(partial(_interruptibly, function), items, chunksize=pieces)
            return list(results)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                _interrupt(set(multiprocessing.active_children()) - others)
            pool.shutdown(cancel_futures=True)
            raise


class _Ended(SystemExit, KeyboardInterrupt):
    """Ctrl-C in a process of the pool: cleaned up after like any other, and without a traceback of its own."""


def _interruptibly(function: Callable[[_Given], _Result], item: _Given) -> _Result:
    """Apply the function, unless Ctrl-C came, which the whole group is sent; the pool itself ends its processes."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise _Ended(130)
    signal.signal(signal.SIGINT, _end)
    try:
        return function(item)
    finally:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, _remember)


def _end(_: int, __: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Ended(130)


def _interrupt(processes: Iterable[BaseProcess]) -> None:
    """Tell those too that had not begun when the group was told."""
    for each in processes:
        if each.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGINT)


def _remember(_: int, __: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _begin(environment: dict[str, str]) -> None:
    """Take over the variables, which may have changed since the server of processes was started, and hear Ctrl-C.

    That was held back until now: see `_context`.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, _remember)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # lets signals through once it runs
    with _held_back():  # what is started here, and all that it starts, begins like this
        forkserver.ensure_running()
    return multiprocessing.get_context("forkserver")


@contextmanager
def _held_back() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
