"""Images to measure, and containers that run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from benchmark.measuring import NotMeasured, Time
from benchmark.servers import START_SECONDS, free_port
from benchmark.workbench import Workbench

LARGEST = 128.0  # MB, compressed
NAME = "localhost/envkit-bench:1"
_PODMAN = ("podman", "--runtime=runc", "--cgroup-manager=cgroupfs")
_CONFINED = (
    "--network=host",
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
    "--user=12345:0",
)


def require(*programs: str) -> None:
    """Refuse to measure where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            raise NotMeasured(f"{program} is not installed")


def build(bench: Workbench, model: Path) -> float:
    """Build the image of a model into a layout; gives its compressed megabytes."""
    output = bench.run(
        bench.envkit, "build-image", model, "-t", NAME, "-o", bench.folder / "image", "--json"
    )
    return float(json.loads(output)["size"]) / 1e6


def load(bench: Workbench) -> None:
    """Give the image to podman, with storage of its own."""
    configuration = bench.folder / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{bench.folder}/podman"\n'
        f'runroot = "{bench.folder}/podman-run"\n'
    )
    bench.variables["CONTAINERS_STORAGE_CONF"] = str(configuration)
    source = f"oci:{bench.folder}/image:1"
    bench.run("skopeo", "copy", "-q", source, f"containers-storage:{NAME}")


def timed_start(bench: Workbench) -> Time:
    """Time a container from its start to its first answer: all of its processes."""
    port = free_port()
    words = ("run", "--detach", *_CONFINED, "--env", f"SAGEMAKER_BIND_TO_PORT={port}", NAME)
    container = bench.run(*_PODMAN, *words).strip()
    started = time.perf_counter()
    try:
        _await_answer(bench, port)
        wall = time.perf_counter() - started
        process = bench.run(*_PODMAN, "inspect", "--format={{.State.Pid}}", container)
        return Time(wall, _cpu_of_tree(int(process)))
    finally:
        subprocess.run(
            [*_PODMAN, "rm", "--force", "--time=5", container],
            env=bench.variables,
            check=False,
            capture_output=True,
        )


def _await_answer(bench: Workbench, port: int) -> None:
    body = bench.request.read_bytes()
    url = f"http://127.0.0.1:{port}/invocations"
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.02)
    raise NotMeasured("the container does not answer")


def _cpu_of_tree(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in fields[11:15])
    seconds = ticks / os.sysconf("SC_CLK_TCK")
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        seconds += sum(_cpu_of_tree(int(child)) for child in children.read_text().split())
    return seconds
