"""Run images with podman and runc, as a cluster would: no rights, nothing writable, no network."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFINED = (
    "--network=none",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
)
PYTHON = "/opt/envkit/environment/base/bin/python3.11"
HEALTHCHECK = "/opt/envkit/server/envkit/inside/programs/healthcheck.py"
_PATIENCE_SECONDS = 60.0
_ASK = """
import http.client, sys
method, path, body = sys.argv[1], sys.argv[2], sys.stdin.buffer.read()
connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
connection.request(method, path, body or None, {"Content-Type": "application/json"})
answer = connection.getresponse()
print(answer.status)
sys.stdout.write(answer.read().decode())
"""


@dataclass(frozen=True)
class Podman:
    """Podman with storage of its own."""

    folder: Path
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        configuration = self.folder / "storage.conf"
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration.write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{self.folder}/graph"\n'
            f'runroot = "{self.folder}/run"\n'
        )
        environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration)}
        object.__setattr__(self, "environment", environment)

    def call(
        self, *words: str, stdin: bytes = b"", check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        argv = ["podman", "--runtime=runc", "--cgroup-manager=cgroupfs", *words]
        return subprocess.run(
            argv, env=self.environment, input=stdin, check=check, capture_output=True
        )

    @contextmanager
    def running(self, image: str, *options: str, arguments: Sequence[str] = ()) -> Iterator[str]:
        """Run an image in the background until the block ends; give the container's name."""
        words = ("run", "--detach", *CONFINED, *options, image, *arguments)
        name = self.call(*words).stdout.decode().strip()
        try:
            yield name
        finally:
            self.call("rm", "--force", "--time=0", name, check=False)

    def ask(self, container: str, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """Send a request from inside the container."""
        words = ("exec", "-i", container, PYTHON, "-I", "-S", "-c", _ASK, method, path)
        output = self.call(*words, stdin=body).stdout.decode()
        status, _, text = output.partition("\n")
        return int(status), text

    def await_health(self, container: str, python: str = PYTHON) -> None:
        """Wait until the program of the image's health check succeeds."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            words = ("exec", container, python, "-I", "-S", HEALTHCHECK)
            if self.call(*words, check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise TimeoutError(self.call("logs", container).stderr.decode())

    def inspect(self, what: str, kind: str = "container") -> dict[str, Any]:
        output = self.call("inspect", f"--type={kind}", what).stdout
        found: dict[str, Any] = json.loads(output)[0]
        return found
