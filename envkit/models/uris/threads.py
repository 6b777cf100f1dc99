"""Work on several files at once, in threads that an interrupted program does not wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

AT_ONCE = 8
# Seconds that an interrupted program waits for threads that are not stuck, so that none of them
# writes into a folder that is removed next.
GRACE = 0.5
_T = TypeVar("_T")
_Tasks = SimpleQueue[tuple[Future[_T], str]]


def for_each(names: Iterable[str], work: Callable[[str], _T]) -> list[_T]:
    """Call `work` with each name and return the results in the order of the names.

    Raises the first exception of `work` once the other threads have ended. An interrupt does not
    wait for threads that are stuck.
    """
    futures: list[Future[_T]] = []
    tasks: _Tasks[_T] = SimpleQueue()
    for name in names:
        future: Future[_T] = Future()
        futures.append(future)
        tasks.put((future, name))
    try:
        for _ in futures[:AT_ONCE]:
            Thread(target=_run_tasks, args=(tasks, work), daemon=True).start()
        return [future.result() for future in futures]
    except BaseException as error:
        running = [future for future in futures if not future.cancel()]
        is_interrupt = not isinstance(error, Exception)
        wait(running, timeout=GRACE if is_interrupt else None)
        raise


def _run_tasks(tasks: _Tasks[_T], work: Callable[[str], _T]) -> None:
    while True:
        try:
            future, name = tasks.get_nowait()
        except Empty:
            return
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(name))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is used
            future.set_exception(error)
