"""Archives of environments: packed here, unpacked without this machine's store and Python."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from envkit.environments.packing.pack import pack
from envkit.environments.packing.unpack import unpack
from envkit.environments.reproduction import predict, prepare_env
from envkit.errors import InvalidArgument
from envkit.installed import records
from tests.builders.programs import run_hidden

ENVKIT = [sys.executable, "-m", "envkit"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("manager", "suffix"),
    [("uv", ".tar.zst"), pytest.param("virtualenv", ".tgz", marks=pytest.mark.slow)],
)
def test_an_unpacked_folder_runs_without_the_store_and_the_python_it_was_made_with(
    manager: str, suffix: str, packable: Path, python_folder: Path, own_store: Path, tmp_path: Path
) -> None:
    archive = tmp_path / f"env{suffix}"
    packed = pack(packable, archive, manager)
    place = unpack(archive, tmp_path / "far away" / "environment").path
    moved = place.rename(tmp_path / "environment")
    gone = [python_folder, own_store]

    assert packed.members == 1 + sum(
        1 for path in moved.rglob("*") if path.is_symlink() or path.is_file()
    )
    ask = (
        "import alpha, ssl, sqlite3, ctypes, os, sys; print(alpha.VERSION, sys.prefix, "
        "os.path.realpath(os.__file__))"
    )
    told = run_hidden(gone, [moved / "bin" / "python", "-c", ask])
    assert told.stdout.split() == ["1.0", str(moved), str(moved / "base/lib/python3.10/os.py")], (
        told.stderr
    )
    assert run_hidden(gone, [moved / "bin" / "alpha", "a b"]).stdout == f"alpha in {moved} a b\n"
    assert list(records.problems(moved)) == []


@pytest.mark.e2e
def test_nothing_in_an_archive_tells_where_it_was_made(
    packable: Path, python_folder: Path, own_store: Path, tmp_path: Path
) -> None:
    pack(packable, tmp_path / "env.tar", "uv")
    place = unpack(tmp_path / "env.tar", tmp_path / "environment").path
    words = [str(own_store).encode(), str(packable).encode()]
    found = {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and not path.is_symlink()
    }

    assert [path for path, content in found.items() if any(word in content for word in words)] == []
    texts = {path: content for path, content in found.items() if b"\0" not in content}
    assert [path for path, content in texts.items() if str(python_folder).encode() in content] == []
    assert not list(place.rglob("__pycache__"))
    assert not any(os.path.isabs(path.readlink()) for path in place.rglob("*") if path.is_symlink())  # noqa: PTH117


@pytest.mark.e2e
def test_the_same_environment_gives_the_same_bytes_also_when_it_was_built_anew_and_used(
    packable: Path, own_store: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        pack(packable, tmp_path / f"{number}.tar.zst")
        predict(packable, {"inputs": [1]})
        if number == 1:
            pack(packable, tmp_path / "used.tar.zst")
        shutil.rmtree(own_store)
    first, *others = [path.read_bytes() for path in sorted(tmp_path.glob("*.tar.zst"))]

    assert len(others) == 2
    assert all(each == first for each in others)


@pytest.mark.e2e
def test_on_another_machine_the_model_runs_at_once_and_offline(
    packable: Path, python_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other machine: another store and home, without Python, network and wheels."""
    here = predict(packable, {"inputs": [1]})
    pack(packable, tmp_path / "env.tar.zst")
    there = {
        "ENVKIT_HOME": str(tmp_path / "there"),
        "HOME": str(tmp_path / "home"),
        "PYENV_ROOT": "/none",
        "PATH": "/usr/bin:/bin",
        "UV_FIND_LINKS": "",
        "PIP_FIND_LINKS": "",
    }
    (tmp_path / "input.json").write_text('{"inputs": [1]}')
    unpacked = run_hidden(
        [python_folder], [*ENVKIT, "envs", "unpack", tmp_path / "env.tar.zst", "--json"], **there
    )
    facts = json.loads(unpacked.stdout)
    built = run_hidden([python_folder], [*ENVKIT, "prepare-env", "--json", packable], **there)
    answer = run_hidden(
        [python_folder], [*ENVKIT, "predict", packable, "-i", tmp_path / "input.json"], **there
    )

    assert json.loads(built.stdout)["built"] is False, built.stderr
    assert json.loads(built.stdout)["path"] == facts["path"]
    version, prefix, base = json.loads(answer.stdout)["predictions"]
    assert (version, prefix) == (here[0], facts["path"])
    assert Path(base).parent == tmp_path / "there" / "pythons"
    again = run_hidden(
        [python_folder], [*ENVKIT, "envs", "unpack", tmp_path / "env.tar.zst", "--json"], **there
    )
    assert json.loads(again.stdout)["built"] is False


@pytest.mark.slow
def test_where_the_same_python_is_there_it_is_taken(
    packable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(packable, tmp_path / "env.tar.zst")
    monkeypatch.setenv("ENVKIT_HOME", str(tmp_path / "there"))
    environment = unpack(tmp_path / "env.tar.zst")

    assert environment.built
    assert not (tmp_path / "there" / "pythons").exists()
    assert not (environment.path / "base").exists()
    assert prepare_env(packable).path == environment.path
    assert not prepare_env(packable).built


@pytest.mark.parametrize("name", ["env.zip", "env", "env.tar.xz"])
def test_a_name_that_tells_no_compression_is_refused_before_anything_is_built(
    name: str, packable: Path, tmp_path: Path, own_store: Path
) -> None:
    with pytest.raises(InvalidArgument, match=r"\.tar\.zst, \.tar\.gz"):
        pack(packable, tmp_path / name)
    assert not own_store.exists()


def test_a_folder_that_is_not_there_and_a_local_environment_are_refused(
    packable: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match="no such folder"):
        pack(packable, tmp_path / "no" / "env.tar.gz")
    with pytest.raises(InvalidArgument, match="local environment"):
        pack(packable, tmp_path / "env.tar.gz", "local")
