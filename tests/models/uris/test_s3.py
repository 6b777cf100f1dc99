"""Models in a real S3 endpoint: moto's server, behind a counter of what is asked and answered."""

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
    """An S3 endpoint. asked: method and path of each request. answered: the bytes of all answers."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    answered: int = 0

    def __call__(self, app: Any) -> Any:
        def counted(environ: Any, start: Any) -> Iterator[bytes]:
            self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            for part in app(environ, start):
                self.answered += len(part)
                yield part

        return counted

    def reset(self) -> None:
        """Count anew."""
        self.asked.clear()
        self.answered = 0

    @property
    def files(self) -> list[str]:
        """The names of the objects that were fetched."""
        gets = [path for method, path in self.asked if method == "GET"]
        return sorted(
            Path(path).name for path in gets if path.count("/") > 1 and not path.endswith("/")
        )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    found = Endpoint()
    app = found(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The endpoint, for envkit and all that it starts."""
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
    for each in folder.rglob("*"):
        if each.is_file():
            client.upload_file(
                str(each), bucket, f"some/model/{each.relative_to(folder).as_posix()}"
            )
    for name, size in (more or {}).items():
        client.put_object(Bucket=bucket, Key=f"some/model/{name}", Body=b"\0" * size)
    client.close()
    return f"s3://{bucket}/some/model"


def test_what_a_model_depends_on_needs_no_weights(bucket: Endpoint, fixture_model: Named) -> None:
    model = fixture_model("sklearn_pipeline")
    uri = _put(model.path, "large", {"weights.bin": WEIGHTS})
    bucket.reset()

    path = envkit.get_model_dependencies(uri)

    assert Path(path).read_bytes() == (model.path / "requirements.txt").read_bytes()
    assert bucket.files == ["MLmodel", "requirements.txt"]
    assert len(bucket.asked) <= 4, bucket.asked
    assert bucket.answered < 20_000

    bucket.reset()
    assert envkit.get_model_dependencies(uri) == path
    assert bucket.files == []
    assert Model.load(uri).flavors
    assert Path(envkit.get_model_dependencies(uri, format="conda")).name == "conda.yaml"
    assert "weights.bin" not in bucket.files


def test_a_validation_leaves_large_files_where_they_are(
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
    assert not [each for each in report.findings if each.rule in ("ENV108", "ENV111")]
    assert [each.severity for each in report.findings if each.rule == "ENV205"] == ["note"]

    _put(model, "validated", {"weights.bin": WEIGHTS + 1})
    changed = envkit.validate(uri).results[0].findings
    assert [each.file for each in changed if each.rule == "ENV108"] == ["weights.bin"]

    _put(model, "validated", {"weights.bin": WEIGHTS})
    (model / "weights.bin").write_bytes(b"\1" * WEIGHTS)
    _put(model, "validated")
    assert not [
        each for each in envkit.validate(uri).results[0].findings if each.rule == "ENV108"
    ], "by its size alone"
    changed = envkit.validate(uri, whole=True).results[0].findings
    assert [each.file for each in changed if each.rule == "ENV108"] == ["weights.bin"]


def test_nothing_is_mended_elsewhere(bucket: Endpoint, fixture_model: Named) -> None:
    uri = _put(fixture_model("sklearn_pipeline").path, "mended")

    with pytest.raises(InvalidArgument, match="envkit download"):
        envkit.fix(uri)


def test_models_elsewhere_are_compared_by_what_describes_them(
    bucket: Endpoint, fixture_model: Named
) -> None:
    model = fixture_model("sklearn_pipeline").path
    uri = _put(model, "compared", {"weights.bin": 100})
    bucket.reset()

    assert not envkit.diff(uri, model)
    assert not {"weights.bin", "model.pkl"} & set(bucket.files)


def test_why_asks_for_the_evidence_alone(
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
    there = sorted(each.name for each in model.path.rglob("*") if each.is_file())
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
def test_what_is_not_there_is_told(bucket: Endpoint, uri: str) -> None:
    with pytest.raises(ModelNotFound, match=f"No model at {uri}"):
        ModelDirectory.open(uri)
