"""Several files at once, in threads that an interrupted program does not wait for when they are stuck."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

AT_ONCE = 8
GRACE = 0.5  # seconds for those that are not stuck, so that none writes into what is removed next
_T = TypeVar("_T")


def for_each(names: Iterable[str], work: Callable[[str], _T]) -> list[_T]:
    """Call `work` with each name; give what it gave, in their order.

    Raises what it raised first, when the other threads have ended. Interrupted, it leaves those
    that are stuck.
    """
    futures: list[Future[_T]] = []
    waiting: SimpleQueue[tuple[Future[_T], str]] = SimpleQueue()
    for name in names:
        futures.append(Future())
        waiting.put((futures[-1], name))
    try:
        for _ in futures[:AT_ONCE]:
            Thread(target=_work_off, args=(waiting, work), daemon=True).start()
        return [each.result() for each in futures]
    except BaseException as error:
        running = [each for each in futures if not each.cancel()]
        wait(running, timeout=None if isinstance(error, Exception) else GRACE)
        raise


def _work_off(waiting: SimpleQueue[tuple[Future[_T], str]], work: Callable[[str], _T]) -> None:
    while True:
        try:
            future, name = waiting.get_nowait()
        except Empty:
            return
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work(name))
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                future.set_exception(error)
