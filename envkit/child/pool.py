"""Work spread over processes of envkit's own, which are started once and share nothing."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")
_PIECES = 8  # per process: few enough to cost little, many enough that none waits long for another


def in_processes(function: Callable[[_Given], _Result], items: Sequence[_Given], jobs: int) -> list[_Result]:
    """Apply a function to each item and give the results in order; in this process when there is but one to use.

    jobs: how many processes at most, 0 for one a core. The function, items and results must pickle. What the function
    raises is raised here, once the pieces that were begun are done.
    """
    wanted = min(jobs or os.cpu_count() or 1, len(items))
    if wanted <= 1:
        return [function(each) for each in items]
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with ProcessPoolExecutor(wanted, mp_context=context) as pool:
        return list(pool.map(function, items, chunksize=max(1, len(items) // (wanted * _PIECES))))
