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

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_PIECES = 8  # per process: few enough to cost little, many enough that none waits long for another


def in_processes(
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    jobs: int,
    advance: Callable[[int], None] | None = None,
) -> list[_Result]:
    """Apply a function to each item and return the results in order.

    Without need of other processes it runs in this one.

    jobs: how many processes at most, 0 for one a core. advance: called with the number of items
    that are done. The function, items and results must pickle.
    What the function raises is raised here, once the pieces that were begun are done.
    """
    count = min(jobs or os.cpu_count() or 1, len(items))
    if count <= 1:
        return _counted(map(function, items), advance)
    others = set(multiprocessing.active_children())
    variables = dict(os.environ)
    with ProcessPoolExecutor(
        count, mp_context=_context(), initializer=_begin, initargs=(variables,)
    ) as pool:
        pieces = max(1, len(items) // (count * _PIECES))
        try:
            # a process that is half-started would print a traceback
            with _interrupts_held_back():
                results = pool.map(partial(_interruptible, function), items, chunksize=pieces)
            return _counted(results, advance)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                _interrupt(set(multiprocessing.active_children()) - others)
            pool.shutdown(cancel_futures=True)
            raise


def _counted(results: Iterable[_Result], advance: Callable[[int], None] | None) -> list[_Result]:
    counted = []
    for result in results:
        counted.append(result)
        if advance is not None:
            advance(len(counted))
    return counted


class _Interrupted(SystemExit, KeyboardInterrupt):
    """Ctrl-C in a process of the pool: cleaned up after like any other, but without a traceback."""


def _interruptible(function: Callable[[_Item], _Result], item: _Item) -> _Result:
    """Apply the function, unless Ctrl-C came, which the whole group gets.

    The pool ends its processes.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise _Interrupted(130)
    signal.signal(signal.SIGINT, _end)
    try:
        return function(item)
    finally:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, _remember)


def _end(_: int, __: object) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Interrupted(130)


def _interrupt(processes: Iterable[BaseProcess]) -> None:
    """Signal those too that had not begun when the group got the signal."""
    for process in processes:
        if process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT)


def _remember(_: int, __: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _begin(variables: dict[str, str]) -> None:
    """Take over the variables, and let Ctrl-C through, which `_context` held back.

    The variables may have changed since the server of processes was started.
    """
    os.environ.clear()
    os.environ.update(variables)
    signal.signal(signal.SIGINT, _remember)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    # lets signals through once it runs
    resource_tracker.ensure_running()
    # processes inherit the mask of signals from the server
    with _interrupts_held_back():
        forkserver.ensure_running()
    return multiprocessing.get_context("forkserver")


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
