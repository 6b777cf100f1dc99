"""Models in emulators of Azure's and Google's storage: Azurite and gcp-storage-emulator."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.builders.fixture_models import FIXTURES

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.network]
ROOT = Path(__file__).resolve().parents[3]
MODEL = FIXTURES / "python_model" / "model"
WEIGHTS = 20_000_000
# The account that every Azurite has:
# https://learn.microsoft.com/azure/storage/common/storage-use-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_UPLOAD = """
import os, sys
from pathlib import Path
from azure.storage.blob import BlobServiceClient
client = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
client.create_container("models")
model = Path(sys.argv[1])
for path in model.rglob("*"):
    if path.is_file():
        name = f"some/model/{path.relative_to(model).as_posix()}"
        client.get_blob_client("models", name).upload_blob(path.read_bytes())
client.get_blob_client("models", "some/model/weights.bin").upload_blob(bytes(int(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uv = [sys.executable, "-m", "uv"]
    folder = tmp_path_factory.mktemp("environment") / "of-clouds"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    requirements = ["--editable", f"{ROOT}[azure,gcs]", "gcp-storage-emulator"]
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True
    )
    return python


def test_a_model_in_azure_is_read_without_its_weights(python: Path, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm, which Azurite is installed with")
    subprocess.run(["npm", "install", "--silent", "--prefix", str(tmp_path), "azurite"], check=True)
    port = _free_port()
    program = [
        str(tmp_path / "node_modules" / ".bin" / "azurite-blob"),
        "--silent",
        "--disableTelemetry",
    ]
    program += [
        "--skipApiVersionCheck",
        "--location",
        str(tmp_path / "data"),
        "--blobPort",
        str(port),
    ]
    at = f"http://127.0.0.1:{port}/devstoreaccount1"
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        f"AccountKey={KEY};BlobEndpoint={at};"
    )
    variables = {**os.environ, "AZURE_STORAGE_CONNECTION_STRING": connection}
    with running(program, port):
        subprocess.run(
            [str(python), "-c", _UPLOAD, str(MODEL), str(WEIGHTS)], env=variables, check=True
        )
        for uri in (
            "abfss://models@devstoreaccount1.dfs.core.windows.net/some/model",
            "az://models/some/model",
        ):
            _check(python, uri, variables)


def test_a_model_in_google_cloud_storage_is_read_without_its_weights(
    python: Path, tmp_path: Path
) -> None:
    port = _free_port()
    program = [
        str(python.with_name("gcp-storage-emulator")),
        "start",
        "--host=127.0.0.1",
        f"--port={port}",
    ]
    at = f"http://127.0.0.1:{port}"
    with running([*program, "--in-memory", "--default-bucket=models"], port):
        for path in MODEL.rglob("*"):
            if path.is_file():
                _upload(at, f"some/model/{path.relative_to(MODEL).as_posix()}", path.read_bytes())
        _upload(at, "some/model/weights.bin", bytes(WEIGHTS))
        _check(python, "gs://models/some/model", {**os.environ, "STORAGE_EMULATOR_HOST": at})


def _check(python: Path, uri: str, variables: dict[str, str]) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [str(python), "-m", "envkit", *words]
        return subprocess.run(
            argv, env=variables, capture_output=True, text=True, check=False, timeout=300
        )

    dependencies = run("deps", uri)
    assert dependencies.stdout == (MODEL / "requirements.txt").read_text(), dependencies.stderr
    assert not list(Path(variables["ENVKIT_HOME"]).rglob("weights.bin"))
    whole = Path(run("download", uri).stdout.strip())
    assert (whole / "weights.bin").stat().st_size == WEIGHTS
    assert (whole / "python_model.pkl").read_bytes() == (MODEL / "python_model.pkl").read_bytes()
    shutil.rmtree(variables["ENVKIT_HOME"])
    absent = run("deps", f"{uri}-none")
    assert absent.returncode == 3
    assert absent.stderr == f"Error: No model at {uri}-none: there is nothing.\n"


def _upload(at: str, name: str, content: bytes) -> None:
    url = f"{at}/upload/storage/v1/b/models/o?uploadType=media&name={quote(name, safe='')}"
    request = Request(
        url, data=content, method="POST", headers={"Content-Type": "application/octet-stream"}
    )
    urlopen(request).close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(program: list[str], port: int) -> Iterator[None]:
    """Run a server, and end it."""
    with subprocess.Popen(
        program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as it:
        try:
            end = time.monotonic() + 100
            while time.monotonic() < end:
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.2)
            yield
        finally:
            os.killpg(it.pid, signal.SIGKILL)
