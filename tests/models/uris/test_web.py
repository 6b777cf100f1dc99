"""Models on a real local web server, with and without pages that list its folders."""

from __future__ import annotations

import base64
import io
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit.errors import EnvkitError, ModelNotFound, PathOutsideModel
from envkit.models import download_model
from envkit.models.directory import ModelDirectory
from tests.builders.fixture_models import FixtureModel
from tests.builders.models import write_mlmodel

Named = Callable[[str], FixtureModel]
LOGIN = "reader:s3cr3t-word"


class _Handler(SimpleHTTPRequestHandler):
    seen: list[tuple[str, str]]

    def __init__(
        self, *args: Any, lists: bool, login: str, seen: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        self.lists, self.login, self.seen = lists, login, seen
        super().__init__(*args, **kwargs)

    def send_head(self) -> Any:
        self.seen.append((self.command, self.path))
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if self.login and self.headers.get("Authorization") != wanted:
            return self.send_error(401)
        self.path = self.path.partition("?")[0]
        return super().send_head()

    def list_directory(self, path: Any) -> Any:
        return super().list_directory(path) if self.lists else self.send_error(403)

    def log_message(self, *_: Any) -> None:
        return None


@contextmanager
def serving(
    folder: Path, *, lists: bool = True, login: str = ""
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve a folder; give host and port, and the requested paths."""
    seen: list[tuple[str, str]] = []
    handler = partial(_Handler, directory=str(folder), lists=lists, login=login, seen=seen)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


def files(folder: Path) -> dict[str, bytes]:
    """Return the relative paths of the files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_fetched_with_the_pages_that_list_it(
    fixture_model: Named, tmp_path: Path
) -> None:
    model = fixture_model("python_model").path
    (model / "odd name #1.txt").write_text("x")

    with serving(tmp_path) as (host, _):
        opened = ModelDirectory.open(f"http://{host}/{model.name}/")

    assert files(opened.path) == files(model)
    assert opened.name == model.name


@pytest.mark.parametrize("lists", [True, False])
def test_only_the_files_that_hold_dependencies_are_fetched(
    fixture_model: Named, tmp_path: Path, lists: bool
) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path, lists=lists) as (host, seen):
        path = envkit.get_model_dependencies(f"http://{host}/{model.name}")

    fetched = {
        Path(name).name for method, name in seen if method == "GET" and not name.endswith("/")
    }
    assert Path(path).read_bytes() == (model / "requirements.txt").read_bytes()
    assert fetched - {"envkit.json"} == {"MLmodel", "requirements.txt"}


def test_a_truncated_answer_is_reported(
    fixture_model: Named, tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fixture_model("sklearn_pipeline").path
    whole = SimpleHTTPRequestHandler.copyfile
    monkeypatch.setattr(
        _Handler,
        "copyfile",
        lambda self, source, out: whole(self, io.BytesIO(source.read(100)), out),
    )
    monkeypatch.setattr(
        _Handler, "do_HEAD", lambda self: self.send_error(405)
    )  # so that no size is known in advance

    with (
        serving(tmp_path, lists=False) as (host, _),
        pytest.raises(ModelNotFound, match="cut off after 100 of"),
    ):
        ModelDirectory.open(f"http://{host}/{model.name}/model.pkl")

    assert {path.name for path in own_store.rglob("*") if path.is_file()} == {".lock"}


@pytest.mark.e2e
def test_an_interrupted_fetch_ends_at_once_and_leaves_nothing(
    fixture_model: Named, tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fixture_model("sklearn_pipeline").path
    requested, end = threading.Event(), threading.Event()
    whole = SimpleHTTPRequestHandler.copyfile

    def slow(self: Any, source: Any, out: Any) -> None:
        if self.path.endswith("model.pkl"):
            requested.set()
            end.wait(60)
        whole(self, source, out)

    monkeypatch.setattr(_Handler, "copyfile", slow)
    with serving(tmp_path) as (host, _):
        argv = [sys.executable, "-m", "envkit", "download", f"http://{host}/{model.name}"]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
            assert requested.wait(60)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        end.set()

    assert {path.name for path in own_store.rglob("*") if path.is_file()} == {".lock"}


def test_without_such_pages_the_model_names_its_files(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path, lists=False) as (host, _):
        opened = ModelDirectory.open(f"http://{host}/{model.name}")

    assert files(opened.path) == files(model)


def test_without_such_pages_a_folder_of_the_model_is_reported(
    fixture_model: Named, tmp_path: Path
) -> None:
    model = fixture_model("custom_loader").path
    with (
        serving(tmp_path, lists=False) as (host, _),
        pytest.raises(ModelNotFound, match=r"lists no files, and code.*archive \(\.tar\.gz"),
    ):
        ModelDirectory.open(f"http://{host}/{model.name}")


def test_a_bare_artifact_is_fetched(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path, lists=False) as (host, _):
        opened = ModelDirectory.open(f"http://{host}/{model.name}/model.pkl?version=3")

    assert opened.artifact == "model.pkl"
    assert (opened.path / "model.pkl").read_bytes() == (model / "model.pkl").read_bytes()


def test_an_unchanged_model_is_not_fetched_again(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path) as (host, seen):
        first = ModelDirectory.open(f"http://{host}/{model.name}")
        seen.clear()
        again = ModelDirectory.open(f"http://{host}/{model.name}")
        fetched = [name for method, name in seen if method == "GET" and not name.endswith("/")]
        (model / "model.pkl").write_bytes(b"another")
        changed = ModelDirectory.open(f"http://{host}/{model.name}")

    assert (again.path, fetched) == (first.path, [])
    assert (changed.path / "model.pkl").read_bytes() == b"another"
    assert (first.path / "model.pkl").read_bytes() != b"another"


def test_a_login_is_used_and_neither_shown_nor_written(
    fixture_model: Named, tmp_path: Path, own_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path, login=LOGIN) as (host, _):
        opened = ModelDirectory.open(f"http://{LOGIN}@{host}/{model.name}")
        with pytest.raises(ModelNotFound) as refused:
            ModelDirectory.open(f"http://reader:wr0ng-word@{host}/{model.name}?sig=t0ken")

    assert opened.artifact is None
    assert "401" in str(refused.value)
    assert not [word for word in ("wr0ng", "t0ken", "reader") if word in str(refused.value)]
    assert refused.value.__cause__ is None
    written = [
        path for path in own_store.rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()
    ]
    assert not [*written, *(path for path in own_store.rglob("*") if "s3cr3t" in path.name)]


def test_names_on_a_page_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "model"
    folder.mkdir(parents=True)
    (tmp_path / "root" / "secret.txt").write_text("x")
    write_mlmodel(folder)
    links = (
        "MLmodel",
        "../secret.txt",
        "/secret.txt",
        "%2e%2e/secret.txt",
        "http://elsewhere.example/x",
        "?C=N;O=D",
    )
    (folder / "index.html").write_text("".join(f'<a href="{link}">x</a>' for link in links))

    with serving(tmp_path / "root") as (host, seen):
        try:
            fetched = files(ModelDirectory.open(f"http://{host}/model").path)
        except EnvkitError:
            fetched = {}

    assert set(fetched) <= {"MLmodel", "index.html"}
    assert not [name for _, name in seen if "secret" in name]


def test_a_field_that_leads_out_is_refused_before_it_is_requested(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    write_mlmodel(folder, data="../secret.txt")
    (tmp_path / "secret.txt").write_text("x")

    with (
        serving(tmp_path, lists=False) as (host, seen),
        pytest.raises((PathOutsideModel, EnvkitError)),
    ):
        ModelDirectory.open(f"http://{host}/model")

    assert not [name for _, name in seen if "secret" in name]


@pytest.mark.parametrize("path", ["gone", "gone/model.tar.gz", "gone.pkl"])
def test_a_missing_model_is_reported(tmp_path: Path, path: str) -> None:
    with (
        serving(tmp_path) as (host, _),
        pytest.raises(ModelNotFound, match=f"No model at http://{host}/{path}"),
    ):
        ModelDirectory.open(f"http://{host}/{path}")


def test_an_unreachable_server_is_reported() -> None:
    with pytest.raises(ModelNotFound, match="could not be listed"):
        ModelDirectory.open("http://127.0.0.1:9/model")


def test_a_model_is_downloaded_to_a_chosen_folder(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path) as (host, _):
        uri = f"http://{host}/{model.name}"
        first = download_model(uri, tmp_path / "to")
        again = download_model(uri, str(tmp_path / "to"))
        (tmp_path / "to" / model.name / "MLmodel").write_text("something else")
        with pytest.raises(EnvkitError, match="is something else"):
            download_model(uri, tmp_path / "to")

    assert first == again == str(tmp_path / "to" / model.name)
    assert [path.name for path in (tmp_path / "to").iterdir()] == [model.name]


def test_a_report_contains_no_login(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    with serving(tmp_path, login=LOGIN) as (host, _):
        report = envkit.validate(f"http://{LOGIN}@{host}/{model.name}", keep_going=True)

    assert [result.model for result in report.results] == [f"http://{host}/{model.name}"]
    assert "s3cr3t" not in repr(report)
