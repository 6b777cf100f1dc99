"""Models in a real S3 endpoint: moto's server, behind a proxy that counts requests and bytes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit.errors import InvalidArgument, ModelNotFound
from envkit.models import Model
from envkit.models.directory import ModelDirectory
from envkit.models.evidence.why import why
from tests.builders.fixture_models import FixtureModel

Named = Callable[[str], FixtureModel]
WEIGHTS = 30_000_000


@dataclass
class Endpoint:
    """An S3 endpoint. requests: method and path of each request. answered: bytes of all answers."""

    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    answered: int = 0

    def __call__(self, app: Any) -> Any:
        def counted(environ: Any, start: Any) -> Iterator[bytes]:
            self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            for part in app(environ, start):
                self.answered += len(part)
                yield part

        return counted

    def reset(self) -> None:
        """Reset the counts."""
        self.requests.clear()
        self.answered = 0

    @property
    def files(self) -> list[str]:
        """The names of the objects that were fetched."""
        gets = [path for method, path in self.requests if method == "GET"]
        return sorted(
            Path(path).name for path in gets if path.count("/") > 1 and not path.endswith("/")
        )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    endpoint = Endpoint()
    app = endpoint(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield endpoint
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The endpoint, for envkit and its child processes."""
    for name, value in (
        ("ACCESS_KEY_ID", "key"),
        ("SECRET_ACCESS_KEY", "secret"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
    return endpoint


def _put(folder: Path, bucket: str, more: dict[str, int] | None = None) -> str:
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for path in folder.rglob("*"):
        if path.is_file():
            client.upload_file(
                str(path), bucket, f"some/model/{path.relative_to(folder).as_posix()}"
            )
    for name, size in (more or {}).items():
        client.put_object(Bucket=bucket, Key=f"some/model/{name}", Body=b"\0" * size)
    client.close()
    return f"s3://{bucket}/some/model"


def test_dependencies_are_read_without_the_weights(bucket: Endpoint, fixture_model: Named) -> None:
    model = fixture_model("sklearn_pipeline")
    uri = _put(model.path, "large", {"weights.bin": WEIGHTS})
    bucket.reset()

    path = envkit.get_model_dependencies(uri)

    assert Path(path).read_bytes() == (model.path / "requirements.txt").read_bytes()
    assert bucket.files == ["MLmodel", "requirements.txt"]
    assert len(bucket.requests) <= 4, bucket.requests
    assert bucket.answered < 20_000

    bucket.reset()
    assert envkit.get_model_dependencies(uri) == path
    assert bucket.files == []
    assert Model.load(uri).flavors
    assert Path(envkit.get_model_dependencies(uri, format="conda")).name == "conda.yaml"
    assert "weights.bin" not in bucket.files


def test_a_validation_does_not_fetch_large_files(
    bucket: Endpoint, fixture_model: Named, tmp_path: Path
) -> None:
    model = fixture_model("sklearn_pipeline").path
    (model / "weights.bin").write_bytes(b"\0" * WEIGHTS)
    envkit.capture(model, static=True)
    uri = _put(model, "validated")
    bucket.reset()

    report = envkit.validate(uri).results[0]

    assert "weights.bin" not in bucket.files
    assert "model.pkl" in bucket.files
    assert bucket.answered < 1_000_000
    assert report.notes == (
        "1 large file was not fetched (30 MB: weights.bin); `--whole` fetches all",
    )
    assert not [finding for finding in report.findings if finding.rule in ("ENV108", "ENV111")]
    assert [finding.severity for finding in report.findings if finding.rule == "ENV205"] == ["note"]

    _put(model, "validated", {"weights.bin": WEIGHTS + 1})
    changed = envkit.validate(uri).results[0].findings
    assert [finding.file for finding in changed if finding.rule == "ENV108"] == ["weights.bin"]

    _put(model, "validated", {"weights.bin": WEIGHTS})
    (model / "weights.bin").write_bytes(b"\1" * WEIGHTS)
    _put(model, "validated")
    assert not [
        finding for finding in envkit.validate(uri).results[0].findings if finding.rule == "ENV108"
    ], "by its size alone"
    changed = envkit.validate(uri, whole=True).results[0].findings
    assert [finding.file for finding in changed if finding.rule == "ENV108"] == ["weights.bin"]


def test_a_remote_model_is_not_fixed_in_place(bucket: Endpoint, fixture_model: Named) -> None:
    uri = _put(fixture_model("sklearn_pipeline").path, "mended")

    with pytest.raises(InvalidArgument, match="envkit download"):
        envkit.fix(uri)


def test_remote_models_are_compared_by_their_environment_files(
    bucket: Endpoint, fixture_model: Named
) -> None:
    model = fixture_model("sklearn_pipeline").path
    uri = _put(model, "compared", {"weights.bin": 100})
    bucket.reset()

    assert not envkit.diff(uri, model)
    assert not {"weights.bin", "model.pkl"} & set(bucket.files)


def test_why_fetches_the_evidence_only(
    bucket: Endpoint, fixture_model: Named, tmp_path: Path
) -> None:
    envkit.capture(
        fixture_model("sklearn_pipeline").path, static=True, output_path=tmp_path / "captured"
    )
    uri = _put(tmp_path / "captured", "captured", {"weights.bin": WEIGHTS})
    bucket.reset()

    assert why(uri, "scikit-learn").role == "requirement"
    assert bucket.files == ["MLmodel", "envkit.json"]


def test_a_whole_model_is_fetched_once(bucket: Endpoint, fixture_model: Named) -> None:
    model = fixture_model("python_model")
    uri = _put(model.path, "whole")
    there = sorted(path.name for path in model.path.rglob("*") if path.is_file())
    bucket.reset()

    first = ModelDirectory.open(uri)

    assert bucket.files == there
    bucket.reset()
    assert ModelDirectory.open(uri).path == first.path
    assert bucket.files == []


def test_the_command_line_reads_it_too(bucket: Endpoint, fixture_model: Named) -> None:
    model = fixture_model("sklearn_pipeline")
    uri = _put(model.path, "command")

    done = subprocess.run(
        [sys.executable, "-m", "envkit", "deps", uri],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == (model.path / "requirements.txt").read_text()


@pytest.mark.parametrize("uri", ["s3://no-such-bucket/model", "s3://large/none"])
def test_a_missing_model_is_reported(bucket: Endpoint, uri: str) -> None:
    with pytest.raises(ModelNotFound, match=f"No model at {uri}"):
        ModelDirectory.open(uri)
