"""The cache of remote models, with fsspec's file system in memory as the source."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from envkit.capturing.capture import capture
from envkit.environments.store import housekeeping
from envkit.errors import (
    EnvkitError,
    InvalidArgument,
    InvalidFile,
    InvalidInput,
    ModelNotFound,
    ToolNotFound,
)
from envkit.locking.bundle import bundle
from envkit.locking.relock import relock
from envkit.models.directory import ModelDirectory
from envkit.models.uris import cache
from envkit.models.uris.required_files import DESCRIPTION
from tests.builders.fixture_models import FixtureModel

Named = Callable[[str], FixtureModel]
URI = "memory://bucket/some/model"


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's empty file system in memory."""
    library = fsspec.filesystem("memory")
    yield library
    library.store.clear()
    library.pseudo_dirs[:] = [""]


@pytest.fixture
def remote(memory: Any, fixture_model: Named) -> Any:
    """The same file system with a model."""
    memory.put(str(fixture_model("sklearn_pipeline").path), "/bucket/some/model", recursive=True)
    return memory


def test_a_whole_model_is_fetched_once_and_keeps_its_name(remote: Any) -> None:
    first = ModelDirectory.open(URI)

    assert first.name == "model"
    assert {path.name for path in first.path.iterdir()} == {
        Path(name).name for name in remote.ls("/bucket/some/model", detail=False)
    }
    assert ModelDirectory.open(f"{URI}/").path.parent.name == first.path.parent.name


def test_a_whole_copy_serves_requests_for_a_part_but_not_vice_versa(remote: Any) -> None:
    part = ModelDirectory.open(URI, DESCRIPTION)
    whole = ModelDirectory.open(URI)

    assert [path.name for path in part.path.iterdir()] == ["MLmodel"]
    assert (whole.path / "model.pkl").is_file()
    assert ModelDirectory.open(URI, DESCRIPTION).path == whole.path


def test_a_bare_artifact_is_fetched_with_the_files_that_belong_to_it(remote: Any) -> None:
    remote.rm("/bucket/some/model/MLmodel")

    opened = ModelDirectory.open(f"{URI}/model.pkl")

    assert opened.artifact == "model.pkl"
    assert (opened.path / "requirements.txt").is_file()
    assert opened.example_path is not None
    assert ModelDirectory.open(URI).artifact == "model.pkl"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "./evil", "a//evil", "/evil"])
def test_names_that_lead_out_are_refused(memory: Any, own_store: Path, name: str) -> None:
    memory.store[f"/bucket/some/model/{name}"] = memory.open("/x", "wb")
    memory.pipe("/bucket/some/model/MLmodel", b"flavors: {}")

    with pytest.raises(InvalidFile, match="leads out of the model"):
        ModelDirectory.open(URI)

    assert not list(own_store.rglob("evil"))


def test_a_failed_fetch_leaves_nothing_visible(
    remote: Any, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(rpath: str, lpath: str, **_: Any) -> None:
        Path(lpath).write_bytes(b"half")
        if rpath.endswith("model.pkl"):
            raise ConnectionError("the network is gone")

    monkeypatch.setattr(remote, "get_file", cut)
    with pytest.raises(ModelNotFound, match="the network is gone"):
        ModelDirectory.open(URI)

    assert {path.name for path in own_store.rglob("*") if path.is_file()} == {".lock"}


def test_a_truncated_file_is_reported(remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        remote, "get_file", lambda rpath, lpath, **_: Path(lpath).write_bytes(b"half")
    )

    with pytest.raises(ModelNotFound, match="arrived incomplete"):
        ModelDirectory.open(URI)


def test_a_damaged_copy_is_fetched_again(remote: Any) -> None:
    first = ModelDirectory.open(URI)
    (first.path / "model.pkl").write_bytes(b"")

    assert (ModelDirectory.open(URI).path / "model.pkl").stat().st_size > 0


def test_concurrent_requests_fetch_once(remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    real = type(remote).get_file

    def slow(rpath: str, lpath: str, **named: Any) -> None:
        fetched.append(rpath)
        time.sleep(0.02)
        real(remote, rpath, lpath, **named)

    monkeypatch.setattr(remote, "get_file", slow)
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(ModelDirectory.open(URI).path))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(paths) == 8
    assert len(set(paths)) == 1
    assert len(fetched) == len(set(fetched))


def test_the_remains_of_a_killed_process_are_removed(remote: Any, own_store: Path) -> None:
    home = ModelDirectory.open(URI).path.parent.parent
    (home / ".part-old" / "model").mkdir(parents=True)
    remote.pipe("/bucket/some/model/more", b"x")

    ModelDirectory.open(URI)

    assert not list(home.glob(".part-*"))


def test_pruning_the_cache_keeps_models_in_use(remote: Any, own_store: Path) -> None:
    program = (
        "import sys\nfrom envkit.models.uris import cache\n"
        "print(cache.find(*sys.argv[1:]), flush=True)\ninput()"
    )
    path = ModelDirectory.open(URI, DESCRIPTION).path
    _close(path.parent)
    words = [path.parent.parent.name, path.parent.name, path.name]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline().strip() == str(path)
        housekeeping.prune(cache=True)
        assert (path / "MLmodel").is_file()
        user.communicate("\n")

    foreseen = housekeeping.prune(cache=True, dry_run=True).cache
    assert foreseen >= (path / "MLmodel").stat().st_size
    assert housekeeping.prune(cache=True).cache == foreseen
    assert not list((own_store / "models").rglob("*"))


def _close(folder: Path) -> None:
    """Release this process's own lock on a folder of the cache."""
    status = folder.stat()
    os.close(cache._descriptor(str(folder), status.st_dev, status.st_ino))
    cache._descriptor.cache_clear()


def test_a_read_only_store_is_reported(remote: Any, own_store: Path) -> None:
    own_store.write_text("a file")

    with pytest.raises(InvalidInput, match="ENVKIT_HOME"):
        ModelDirectory.open(URI)


@pytest.mark.parametrize(
    ("write", "remedy"),
    [(capture, "--output-path DIR"), (relock, "--output-path FILE"), (bundle, "envkit download")],
)
def test_commands_that_write_name_a_remedy(
    remote: Any, write: Callable[[str], Any], remedy: str
) -> None:
    with pytest.raises(InvalidArgument, match=remedy):
        write(URI)


def test_a_remote_model_is_captured_into_a_folder(remote: Any, tmp_path: Path) -> None:
    captured = capture(URI, static=True, output_path=tmp_path / "out")

    assert captured.model == tmp_path / "out"
    assert (tmp_path / "out" / "envkit.json").is_file()
    assert (tmp_path / "out" / "model.pkl").is_file()


@pytest.mark.parametrize(
    ("uri", "missing", "remedy"),
    [
        ("s3://b/m", "fsspec", r"envkit\[s3\]"),
        ("s3://b/m", "s3fs", r"envkit\[s3\]"),
        ("gs://b/m", "gcsfs", r"envkit\[gcs\]"),
        ("abfss://c@a.dfs.core.windows.net/m", "adlfs", r"envkit\[azure\]"),
        ("hf://owner/model", "huggingface_hub", r"envkit\[hf\]"),
        ("runs:/0123/model", "mlflow", r"envkit\[mlflow\]"),
        ("models:/name@champion", "mlflow", r"envkit\[mlflow\]"),
        ("mlflow-artifacts:/0/1/model", "mlflow", r"envkit\[mlflow\]"),
    ],
)
def test_a_missing_library_is_reported_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, uri: str, missing: str, remedy: str
) -> None:
    sys.modules["fsspec.registry"]._registry.clear()  # the imports of earlier tests
    for name in [module for module in sys.modules if module.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ToolNotFound, match=remedy):
        ModelDirectory.open(uri)


def test_a_missing_model_is_reported(memory: Any) -> None:
    with pytest.raises(ModelNotFound, match=r"No model at memory://bucket/none: there is nothing"):
        ModelDirectory.open("memory://bucket/none")


def test_a_folder_that_is_not_a_model_is_reported(memory: Any) -> None:
    memory.pipe("/bucket/some/model/readme.txt", b"x")

    with pytest.raises(EnvkitError, match="no MLmodel file"):
        ModelDirectory.open(URI)
