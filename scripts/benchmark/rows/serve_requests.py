"""Answer many requests, against MLflow's server with as many workers."""

from __future__ import annotations

from benchmark.measuring import Row, Time, median
from benchmark.servers import (
    CLIENTS,
    REQUESTS,
    Server,
    envkit_server,
    load,
    mlflow_server,
    percentiles,
    serving,
)
from benchmark.workbench import Workbench


def measure(bench: Workbench, *, workers: int) -> Row:
    """Measure the row of servers with this many workers."""
    theirs = mlflow_server(bench, workers)
    bench.rebuilt_python  # noqa: B018 - builds it
    mine = envkit_server(bench, workers)
    latencies: dict[int, list[float]] = {mine.port: [], theirs.port: []}

    def loaded(server: Server) -> Time:
        total, of_requests = load(bench, server.port)
        latencies[server.port] += of_requests
        return total

    with serving(bench, mine), serving(bench, theirs):
        left, right = bench.side_by_side(lambda: loaded(mine), lambda: loaded(theirs))
    rates = " : ".join(f"{REQUESTS / median(side, 'wall'):.0f}" for side in (left, right))
    cuts = " : ".join(percentiles(latencies[server.port]) for server in (mine, theirs))
    return Row(
        name=f"serve, {workers} worker(s), {REQUESTS} requests : mlflow models serve",
        target="wall <= MLflow's",
        met=median(left, "wall") <= median(right, "wall"),
        envkit=left,
        other=right,
        note=f"{CLIENTS} clients; requests/s {rates}; ms p50/p99 {cuts}",
    )
