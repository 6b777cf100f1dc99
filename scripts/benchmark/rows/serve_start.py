"""Start a server and get its first answer, against MLflow's."""

from __future__ import annotations

from benchmark.measuring import Row, Time, median
from benchmark.servers import Server, envkit_server, mlflow_server, serving
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    theirs = mlflow_server(bench)
    bench.rebuilt_python  # noqa: B018 - builds it
    mine = envkit_server(bench)

    def start(server: Server) -> Time:
        with serving(bench, server) as seconds:
            return Time(seconds, 0.0)

    left, right = bench.side_by_side(lambda: start(mine), lambda: start(theirs))
    return Row(
        name="serve, start to first answer : mlflow models serve",
        target="wall <= MLflow's",
        met=median(left, "wall") <= median(right, "wall"),
        envkit=left,
        other=right,
        note="the environment exists",
    )
