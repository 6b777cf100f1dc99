"""Models of real MLflow servers, read in environments with MLflow's client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.builders.fixture_models import copy_fixture_model

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.network]
ROOT = Path(__file__).resolve().parents[3]
LOGIN = ("admin", "s3cr3t-passw0rd")
_LOG = """
import json, sys, mlflow
model = sys.argv[1]
client = mlflow.MlflowClient()
experiment = client.create_experiment("x")
run = client.create_run(experiment)
client.log_artifacts(run.info.run_id, model, "model")
client.create_registered_model("churn")
version = client.create_model_version("churn", f"{run.info.artifact_uri}/model", run.info.run_id)
client.set_registered_model_alias("churn", "champion", version.version)
client.transition_model_version_stage("churn", version.version, "Production")
inner = f"{experiment}/{run.info.run_id}/artifacts/model"
proxy = f"{mlflow.get_tracking_uri()}/api/2.0/mlflow-artifacts/artifacts/{inner}"
print(json.dumps([
    f"runs:/{run.info.run_id}/model", "models:/churn/1", "models:/churn@champion",
    "models:/churn/Production", "models:/churn/latest", f"mlflow-artifacts:/{inner}", proxy,
]))
"""
_LOG_BY_MLFLOW = """
import json, mlflow, mlflow.pyfunc
class M(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
mlflow.set_experiment("by-mlflow")
options = {"python_model": M(), "pip_requirements": ["pandas"]}
with mlflow.start_run() as run:
    mlflow.log_text("x", "notes/a.txt")
    info = mlflow.pyfunc.log_model(name="own", registered_model_name="own", **options)
alone = mlflow.pyfunc.log_model(name="alone", **options)
uris = [info.model_uri, f"runs:/{run.info.run_id}/own", "models:/own/1", alone.model_uri]
print(json.dumps(uris))
"""
_LOG_BY_ENVKIT = """
import json, mlflow
import numpy as np, pandas as pd
from envkit import pyfunc
from envkit.flavors import sklearn
from sklearn.linear_model import LinearRegression
class Double(pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["a"].to_numpy() * 2
mlflow.set_experiment("by-envkit")
frame = pd.DataFrame({"a": [1.0, 2.0]})
options = {"input_example": frame, "registered_model_name": "double"}
first = pyfunc.log_model(name="double", python_model=Double(), **options)
with mlflow.start_run() as run:
    fitted = LinearRegression().fit(frame, [2.0, 4.0])
    options = {"input_example": frame, "registered_model_name": "line"}
    second = sklearn.log_model(fitted, name="line", **options)
in_run = f"runs:/{run.info.run_id}/line"
uris = [first.model_uri, second.model_uri, in_run, "models:/double/1", "models:/line/1"]
print(json.dumps([uris, first.registered_model_version, second.registered_model_version]))
"""
_LOAD_BY_MLFLOW = """
import json, sys, mlflow.pyfunc, pandas as pd
frame = pd.DataFrame({"a": [3.0]})
predictions = [mlflow.pyfunc.load_model(uri).predict(frame) for uri in sys.argv[1:]]
print(json.dumps([round(float(list(prediction)[0]), 6) for prediction in predictions]))
"""
_READ = """
import json, sys, envkit
from pathlib import Path
from envkit.models import download_model
def names(top):
    files = [path for path in Path(top).rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(top)) for path in files)
results = []
for uri in sys.argv[1:]:
    few = Path(envkit.get_model_dependencies(uri))
    read = [names(few.parent), few.read_text()]
    whole = Path(download_model(uri))
    results.append([*read, names(whole), whole.name])
print(json.dumps(results))
"""


@dataclass(frozen=True)
class Server:
    """An MLflow server. python: of an environment with envkit and MLflow. url: without login."""

    python: Path
    url: str
    variables: dict[str, str]

    def run(self, program: str, *words: str) -> str:
        """Run a program as a user of the server; return the last line that it printed."""
        done = self._start("-W", "ignore", "-c", program, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    def envkit(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run envkit's command as a user of the server."""
        return replace(self, variables={**self.variables, **variables})._start(
            "-m", "envkit", *words
        )

    def _start(self, *words: str) -> subprocess.CompletedProcess[str]:
        # Without a server, MLflow creates a file in the current folder.
        folder = Path(self.variables["ENVKIT_HOME"]).parent
        return subprocess.run(
            [self.python, *words],
            env=self.variables,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uv = [sys.executable, "-m", "uv"]
    folder = tmp_path_factory.mktemp("environment") / "of-mlflow"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    requirements = ["mlflow[auth]>=3", "pandas", "scikit-learn", "--editable", str(ROOT)]
    subprocess.run(
        [*uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True
    )
    return python


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(python, tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def churn(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A model, and its URIs on the server."""
    model = copy_fixture_model("python_model", tmp_path_factory.mktemp("model")).path
    return model, json.loads(server.run(_LOG, str(model)))


@contextmanager
def running(python: Path, folder: Path, *words: str, **more: str) -> Iterator[Server]:
    """Run a server, and end it with its child processes."""
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
        **more,
    }
    argv: list[str | Path] = [
        python,
        *("-m", "mlflow", "server", *words),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/db"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            argv, env=variables, stdout=file, stderr=file, cwd=folder, start_new_session=True
        )
    try:
        _wait(url, process, log)
        yield Server(python, url, variables)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        try:
            urlopen(f"{url}/health", timeout=2).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"MLflow's server does not start: {log.read_text()[-2000:]}")


def test_every_uri_of_a_model_leads_to_its_files(
    server: Server, churn: tuple[Path, list[str]]
) -> None:
    model, uris = churn
    requirements = (model / "requirements.txt").read_text()
    whole = sorted(
        path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()
    )
    few = ["MLmodel", "requirements.txt"]
    run, version, alias, stage, latest, artifacts, proxy = uris

    read = dict(zip(uris, json.loads(server.run(_READ, *uris)), strict=True))

    assert read == {
        run: [few, requirements, whole, "model"],
        version: [few, requirements, whole, "churn"],
        # The whole copy of an earlier URI that leads to the same artifacts serves as well.
        alias: [whole, requirements, whole, "churn"],
        stage: [whole, requirements, whole, "churn"],
        latest: [whole, requirements, whole, "churn"],
        artifacts: [whole, requirements, whole, "model"],
        proxy: [few, requirements, whole, "model"],
    }
    copies = list(
        Path(server.variables["ENVKIT_HOME"], "models").glob("*/*/churn/python_model.pkl")
    )
    assert len(copies) == 1, "four names of one version"


def test_models_that_mlflow_logged_are_read(server: Server) -> None:
    uris = json.loads(server.run(_LOG_BY_MLFLOW))
    few = ["MLmodel", "requirements.txt"]
    whole = ["MLmodel", "conda.yaml", "python_env.yaml", "python_model.pkl", "requirements.txt"]
    by_id, in_run, registered, without_run = uris

    read = dict(zip(uris, json.loads(server.run(_READ, *uris)), strict=True))

    assert {uri: (first, files) for uri, (first, _, files, _) in read.items()} == {
        by_id: (few, whole),
        in_run: (few, whole),
        # The whole copy of the same artifacts under the same name serves as well.
        registered: (whole, whole),
        without_run: (few, whole),
    }
    for uri, (_, requirements, _, _) in read.items():
        assert "pandas" in requirements.splitlines(), uri


def test_what_envkit_logs_is_registered_and_runs_in_envkit_and_mlflow(
    server: Server, tmp_path: Path
) -> None:
    uris, *versions = json.loads(server.run(_LOG_BY_ENVKIT))
    question = tmp_path / "question.json"
    question.write_text('{"dataframe_split": {"columns": ["a"], "data": [[3.0]]}}')

    assert versions == [1, 1]
    assert json.loads(server.run(_LOAD_BY_MLFLOW, *uris)) == [6.0] * len(uris)
    for uri in ("models:/double/1", uris[2]):
        predicted = server.envkit("predict", uri, "-i", str(question), "-t", "json")
        assert json.loads(predicted.stdout)["predictions"] == pytest.approx([6.0]), predicted.stderr
    captured = server.envkit(
        "capture", uris[1], "--static", "--output-path", str(tmp_path / "captured")
    )
    assert captured.returncode == 0, captured.stderr
    assert "scikit-learn==" in server.envkit("deps", str(tmp_path / "captured")).stdout


def test_a_moved_alias_leads_to_the_new_version(
    server: Server, churn: tuple[Path, list[str]]
) -> None:
    model, _ = churn
    before = server.envkit("deps", "models:/churn@champion").stdout
    (model / "requirements.txt").write_text("six==1.16.0\n")
    move = (
        "import mlflow, sys; client = mlflow.MlflowClient(); run = client.create_run('0');"
        "client.log_artifacts(run.info.run_id, sys.argv[1], 'model');"
        "source = f'{run.info.artifact_uri}/model';"
        "made = client.create_model_version('churn', source, run.info.run_id);"
        "client.set_registered_model_alias('churn', 'champion', made.version); print(made.version)"
    )
    assert server.run(move, str(model)) == "2"

    assert server.envkit("deps", "models:/churn@champion").stdout == "six==1.16.0\n"
    assert server.envkit("deps", "models:/churn/1").stdout == before


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("runs:/0123456789abcdef0123456789abcdef/model", "not found"),
        ("runs:/", "the URI names no run"),
        ("models:/none/1", "none not found"),
        ("models:/churn/99", "not found"),
        ("models:/churn@none", "none not found"),
        ("models:/churn/Staging", "Staging"),
        ("models:/m-0123", "not found"),
        ("mlflow-artifacts:/0/none", "there is nothing"),
    ],
)
def test_what_the_server_does_not_know_is_reported(
    server: Server, churn: tuple[Path, list[str]], uri: str, message: str
) -> None:
    done = server.envkit("deps", uri)

    assert done.returncode == 3, done.stderr
    assert f"No model at {uri}" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_contains_models_is_not_a_model(
    server: Server, churn: tuple[Path, list[str]]
) -> None:
    done = server.envkit("deps", churn[1][0].removesuffix("/model"))

    assert done.returncode == 3
    assert "there is one in model/ below it" in done.stderr


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://user:s3cr3t@127.0.0.1:9", "server at http://127.0.0.1:9 cannot be reached"),
        ("", "MLFLOW_TRACKING_URI is not set"),
        ("sqlite:////none/mlflow.db", "there is no MLflow database at /none/mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_an_unreachable_server_is_reported_quickly(
    server: Server, tmp_path: Path, address: str, message: str
) -> None:
    began = time.monotonic()
    done = server.envkit("deps", "models:/churn/1", MLFLOW_TRACKING_URI=address)

    assert done.returncode == 3, done.stderr
    assert message in done.stderr
    assert "s3cr3t" not in done.stderr
    assert time.monotonic() - began < 100
    assert not Path(server.variables["ENVKIT_HOME"]).with_name("mlflow.db").exists()


def test_a_login_is_used_and_never_printed(python: Path, tmp_path: Path) -> None:
    user, password = LOGIN
    settings = tmp_path / "auth.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{tmp_path}/users.db\n"
        f"admin_username = {user}\nadmin_password = {password}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    variables = {"MLFLOW_AUTH_CONFIG_PATH": str(settings), "MLFLOW_FLASK_SERVER_SECRET_KEY": "key"}
    login = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
    model = copy_fixture_model("python_model", tmp_path).path
    with running(python, tmp_path, "--app-name", "basic-auth", **variables) as server:
        entered = replace(server, variables={**server.variables, **login})
        uris = json.loads(entered.run(_LOG, str(model)))
        refused = server.envkit("deps", uris[1], "--debug")
        wrong = server.envkit(
            "deps", uris[1], "--debug", **{**login, "MLFLOW_TRACKING_PASSWORD": "wr0ng-word"}
        )
        accepted = [entered.envkit("deps", uri) for uri in (uris[1], uris[-1])]
        inside = server.url.replace("//", f"//{user}:{password}@")
        accepted += [
            server.envkit("deps", uri, MLFLOW_TRACKING_URI=inside) for uri in (uris[1], uris[-1])
        ]

    requirements = (model / "requirements.txt").read_text()
    for done in (refused, wrong):
        assert done.returncode == 3
        assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in done.stderr
    for done in accepted:
        assert done.stdout == requirements
    for done in (refused, wrong, *accepted):
        assert not [word for word in (password, "wr0ng-word") if word in done.stdout + done.stderr]
