"""Sixteen processes that need an environment at once before it exists, against one."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

from benchmark.measuring import NotMeasured, Row, Time
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    environment = bench.rebuilt_python.parents[1]
    argv = [str(bench.envkit), "prepare-env", "--json", str(bench.captured)]

    def prepare_at_once(number: int) -> Time:
        shutil.rmtree(environment)
        started = time.perf_counter()
        processes = []
        for _ in range(number):
            process = subprocess.Popen(
                argv, env=bench.variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            processes.append(process)
        answers = [json.loads(process.communicate()[0]) for process in processes]
        if sum(answer["built"] for answer in answers) != 1:
            raise NotMeasured("it was not built exactly once")
        return Time(time.perf_counter() - started, 0.0)

    mine, theirs = bench.side_by_side(
        lambda: prepare_at_once(16), lambda: prepare_at_once(1), max_pairs=3
    )
    return Row(
        name="sixteen first uses at once : one",
        target="built once, by one of them",
        met=True,
        envkit=mine,
        other=theirs,
    )
