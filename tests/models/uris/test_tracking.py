"""Models of a real MLflow server, asked from an environment with its client: made for this test, of the index."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import copied

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.network]
ROOT = Path(__file__).resolve().parents[3]
_LOG = """
import json, sys, mlflow
from pathlib import Path
model = sys.argv[1]
client = mlflow.MlflowClient()
experiment = client.create_experiment("x")
run = client.create_run(experiment)
client.log_artifacts(run.info.run_id, model, "model")
client.create_registered_model("churn")
version = client.create_model_version("churn", f"{run.info.artifact_uri}/model", run.info.run_id)
client.set_registered_model_alias("churn", "champion", version.version)
client.transition_model_version_stage("churn", version.version, "Production")
uris = [f"runs:/{run.info.run_id}/model", "models:/churn/1", "models:/churn@champion", "models:/churn/Production",
        "models:/churn/latest", f"{run.info.artifact_uri}/model",
        f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts/model"]
import mlflow.pyfunc
class M(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
mlflow.set_experiment("x")
info = mlflow.pyfunc.log_model(name="own", python_model=M(), pip_requirements=["pandas"])
print(json.dumps([*uris, info.model_uri, f"models:/{info.model_id}", f"runs:/{info.run_id}/own"]))
"""
_READ = """
import json, sys, envkit
from envkit.models.directory import ModelDirectory
uri = sys.argv[1]
few = envkit.get_model_dependencies(uri)
whole = ModelDirectory.open(uri).path
names = lambda place: sorted(each.relative_to(place).as_posix() for each in place.rglob("*") if each.is_file())
from pathlib import Path
print(json.dumps([names(Path(few).parent), names(whole), whole.name, Path(few).read_text()]))
"""


@dataclass(frozen=True)
class Server:
    """MLflow's server. python: of an environment with envkit and MLflow. uris: of models; the first seven are one."""

    python: Path
    model: Path
    uris: tuple[str, ...]
    variables: dict[str, str]

    def run(self, program: str, *words: str) -> str:
        """Run a program as its user; gives what it printed last."""
        done = subprocess.run(
            [self.python, "-c", program, *words], env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mlflow")
    python = _environment(folder / "environment")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    variables = {
        **os.environ,
        "MLFLOW_TRACKING_URI": url,
        "ENVKIT_HOME": str(folder / "home"),
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    argv: list[str | Path] = [
        python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/db", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    with (folder / "log").open("w") as log, subprocess.Popen(argv, env=variables, stdout=log, stderr=log) as process:
        try:
            _wait(url, process, folder / "log")
            model = copied("python_model", folder).path
            made = Server(python, model, (), variables)
            yield Server(python, model, tuple(json.loads(made.run(_LOG, str(model)))), variables)
        finally:
            process.terminate()
            process.wait(30)


def _environment(folder: Path) -> Path:
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, "mlflow>=3", "--editable", ROOT], check=True)
    return python


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end and process.poll() is None:
        try:
            urlopen(f"{url}/health", timeout=2).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"MLflow's server does not start: {log.read_text()[-2000:]}")


def test_every_uri_of_a_model_leads_to_its_files(server: Server) -> None:
    there = {each.relative_to(server.model).as_posix() for each in server.model.rglob("*") if each.is_file()}
    for uri in server.uris[:7]:
        few, whole, name, text = json.loads(server.run(_READ, uri))
        assert set(few) == {"MLmodel", "requirements.txt"}, uri
        assert set(whole) - {"registered_model_meta"} == there, uri
        assert name == ("churn" if uri.startswith("models:") else "model")
        assert text == (server.model / "requirements.txt").read_text()


def test_models_that_mlflow_logged_are_read(server: Server) -> None:
    for uri in server.uris[7:]:
        few, whole, _, text = json.loads(server.run(_READ, uri))
        assert {"MLmodel", "python_model.pkl", "conda.yaml"} <= set(whole), uri
        assert "python_model.pkl" not in few
        assert "pandas" in text


@pytest.mark.parametrize(
    "uri", ["runs:/0123456789abcdef0123456789abcdef/model", "models:/none/1", "models:/churn@none"]
)
def test_what_the_server_does_not_know_is_told(server: Server, uri: str) -> None:
    done = subprocess.run(
        [server.python, "-m", "envkit", "deps", uri], env=server.variables, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3, done.stderr
    assert f"No model at {uri}" in done.stderr
    assert "Traceback" not in done.stderr
