"""Servers to measure, and clients that load them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmark.measuring import NotMeasured, Time
from benchmark.workbench import Workbench, shortened

REQUESTS = 400
CLIENTS = 4
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Server:
    """A command that serves on a port."""

    argv: list[str | Path]
    port: int


def envkit_server(bench: Workbench, workers: int = 1) -> Server:
    """Give envkit's server on a free port."""
    port = free_port()
    words = ["serve", "-q", "-p", str(port), "-w", str(workers)]
    return Server([bench.envkit, *words, bench.captured], port)


def mlflow_server(bench: Workbench, workers: int = 1) -> Server:
    """Give MLflow's server on a free port."""
    port = free_port()
    words = ["-m", "mlflow", "models", "serve", "--env-manager", "local"]
    words += ["-p", str(port), "-w", str(workers), "-m"]
    return Server([bench.required_mlflow_python, *words, bench.captured], port)


def free_port() -> int:
    """Give a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def serving(bench: Workbench, server: Server) -> Iterator[float]:
    """Start a server and wait for its first answer; gives the seconds that this took."""
    body = bench.request.read_bytes()
    started = time.perf_counter()
    # MLflow finds the program uvicorn there.
    programs = str(Path(server.argv[0]).parent)
    variables = {**bench.variables, "PATH": programs + os.pathsep + bench.variables["PATH"]}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            server.argv, env=variables, stdout=output, stderr=output, start_new_session=True
        )
        try:
            while not _answers(server.port, body):
                seconds = time.perf_counter() - started
                if process.poll() is not None or seconds > START_SECONDS:
                    output.seek(0)
                    problem = output.read().decode(errors="replace").strip()[-400:]
                    raise NotMeasured(f"`{shortened(server.argv)}` does not serve: {problem}")
                time.sleep(0.02)
            yield time.perf_counter() - started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def connect(port: int) -> http.client.HTTPConnection:
    """Give a connection that is kept open."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def ask(connection: http.client.HTTPConnection, body: bytes) -> float:
    """Request one prediction; gives the seconds."""
    started = time.perf_counter()
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise NotMeasured(f"the server answered with status {answer.status}")
    return time.perf_counter() - started


def load(bench: Workbench, port: int) -> tuple[Time, list[float]]:
    """Send requests over several connections at once.

    Gives the time of all, and the latency of each.
    """
    body = bench.request.read_bytes()

    def client(_: int) -> list[float]:
        connection = connect(port)
        return [ask(connection, body) for _ in range(REQUESTS // CLIENTS)]

    started = time.perf_counter()
    latencies = []
    with ThreadPoolExecutor(CLIENTS) as threads:
        for of_client in threads.map(client, range(CLIENTS)):
            latencies += of_client
    return Time(time.perf_counter() - started, 0.0), latencies


def percentiles(latencies: Sequence[float]) -> str:
    """Give the median and the 99th percentile in milliseconds."""
    cuts = statistics.quantiles(latencies, n=100)
    return f"{cuts[49] * 1000:.1f}/{cuts[98] * 1000:.1f}"


def _answers(port: int, body: bytes) -> bool:
    try:
        ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), body)
    except (OSError, http.client.HTTPException, NotMeasured):
        return False
    return True
