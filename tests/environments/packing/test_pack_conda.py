"""Archives of conda environments: packed here, unpacked without store, channel and conda."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.conda import embedded
from envkit.environments.packing.pack import pack
from envkit.environments.packing.unpack import unpack
from envkit.environments.reproduction import prepare_env
from envkit.errors import BuildFailed
from envkit.inside.programs import relocation
from envkit.installed import conda_records as conda_records
from envkit.installed import records
from tests.builders.conda_channel import CondaChannel
from tests.builders.conda_models import packable_conda_model
from tests.builders.programs import run_hidden
from tests.builders.recorded_conda import ENGINES, conda_exe

pytestmark = pytest.mark.e2e
ASK = (
    "import alpha, envkit_demo, envkit_demo_native as n, sys; print(alpha.VERSION, "
    "round(n.cube_root(27)), sys.prefix)"
)


@pytest.fixture(params=ENGINES)
def packable(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    conda_channel: CondaChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A model of conda packages and of a wheel with a program, in the pip section."""
    monkeypatch.setenv("ENVKIT_CONDA_EXE", conda_exe(request.param, tmp_path))
    return packable_conda_model(tmp_path / "the model", conda_channel)


def placed(environment: Path) -> tuple[str, str, bytes]:
    """Read the files that hold a path: text of conda, Python's configuration, a binary."""
    config = "import sysconfig; print(sysconfig.get_config_var('prefix'))"
    said = subprocess.run(
        [environment / "bin" / "python", "-c", config], capture_output=True, text=True, check=True
    )
    text = (environment / "lib" / "pkgconfig" / "envkit-demo.pc").read_text().splitlines()[0]
    return (
        text,
        said.stdout.strip(),
        (environment / "share" / "envkit-demo" / "places.bin").read_bytes(),
    )


def sound(environment: Path) -> bool:
    digests = dict(records.digests(environment))
    wrong = [path for path, digest in digests.items() if records.unlike(environment / path, digest)]
    return [
        *records.problems(environment),
        *conda_records.problems(environment),
        *wrong,
    ] == [] and bool(digests)


def test_an_archive_runs_after_plain_tar_and_its_own_program_writes_the_place(
    packable: Path, own_store: Path, conda_channel: CondaChannel, tmp_path: Path
) -> None:
    before = placed(prepare_env(packable, "conda").path)
    packed = pack(packable, tmp_path / "env.tar.gz", "conda")
    place = tmp_path / "far away" / "environment"
    place.mkdir(parents=True)
    subprocess.run(["tar", "-xf", packed.path, "-C", place], check=True)
    place = place.rename(tmp_path / "environment")
    gone = [own_store, conda_channel.path]

    told = run_hidden(gone, [place / "bin" / "python", "-I", "-c", ASK])
    assert told.stdout.split() == ["1.0", "3", str(place)], told.stderr
    assert run_hidden(gone, [place / "bin" / "alpha"]).stdout == f"alpha in {place}\n"
    assert run_hidden(gone, [place / "bin" / "envkit-demo"]).stdout == "envkit-demo 1.0\n"
    assert sound(place)
    assert placed(place)[1] == str(place)
    run_hidden(gone, [place / "bin" / "conda-unpack"])
    text, config, binary = placed(place)
    assert (text, config) == (f"prefix={place}", str(place))
    assert len(binary) == len(before[2])
    assert binary.count(bytes(place)) == 3
    assert b"/share:" + bytes(place) + b"/etc\0" in binary
    assert binary.endswith(b"\0\0\xffend")
    assert sound(place)
    assert run_hidden(gone, [place / "bin" / "conda-unpack"]).returncode == 0


def test_nothing_in_an_archive_tells_where_it_was_made_and_its_bytes_are_the_same(
    packable: Path, own_store: Path, tmp_path: Path
) -> None:
    first = pack(packable, tmp_path / "1.tar", "conda")
    subprocess.run(
        [first.environment.python, "-c", "import envkit_demo, sqlite3, alpha"], check=True
    )
    second = pack(packable, tmp_path / "2.tar", "conda")

    assert first.path.read_bytes() == second.path.read_bytes()
    assert str(own_store).encode() not in first.path.read_bytes()
    with tarfile.open(first.path) as archive:
        names = archive.getnames()
    assert names[0] == "envkit-pack.json"
    assert not [name for name in names if "__pycache__" in name or name.startswith(".envkit")]


def test_what_conda_wrote_into_binary_files_is_taken_back_exactly(
    packable: Path, tmp_path: Path
) -> None:
    packed = pack(packable, tmp_path / "env.tar", "conda")
    with tarfile.open(packed.path) as archive:
        member = archive.extractfile("conda-meta/libenvkit-demo-1.0-h0_0.json")
        assert member is not None
        record: dict[str, Any] = json.load(member)
        entries = [each for each in record["paths_data"]["paths"] if each.get("prefix_placeholder")]
        for each in entries:
            content = archive.extractfile(each["_path"])
            assert content is not None
            assert hashlib.sha256(content.read()).hexdigest() == each["sha256"]

    assert {each["file_mode"] for each in entries} == {"text", "binary"}
    assert record["link"]["source"] == ""


def test_on_another_machine_it_is_the_models_environment_at_once_offline_and_without_conda(
    packable: Path,
    own_store: Path,
    conda_channel: CondaChannel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other machine has another store and condarc, no channel and no py-rattler."""
    (packable / "conda.yaml").write_text(
        (packable / "conda.yaml").read_text().replace(conda_channel.url, "forge")
    )
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", conda_channel.path.parent.as_uri())
    (conda_channel.path.parent / "forge").unlink(missing_ok=True)
    (conda_channel.path.parent / "forge").symlink_to(conda_channel.path)
    archive = pack(packable, tmp_path / "env.tar.zst", "conda").path
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", "https://conda.example/mirror")
    monkeypatch.setenv("ENVKIT_HOME", str(tmp_path / "there"))
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    unpacked = unpack(archive)
    found = prepare_env(packable, "conda")

    assert (found.path, found.built) == (unpacked.path, False)
    assert placed(found.path)[:2] == (f"prefix={found.path}", str(found.path))
    assert sound(found.path)
    argv = [sys.executable, "-m", "envkit", "envs", "verify", found.path.name]
    assert subprocess.run(argv, check=False).returncode == 0


def test_a_folder_gets_its_place_written_into_it_and_too_long_a_path_is_refused(
    packable: Path, tmp_path: Path
) -> None:
    archive = pack(packable, tmp_path / "env.tar", "conda").path
    environment = unpack(archive, tmp_path / "a folder")

    assert placed(environment.path)[0] == f"prefix={tmp_path / 'a folder'}"
    assert sound(environment.path)
    with pytest.raises(BuildFailed, match="at most 255 bytes"):
        unpack(archive, tmp_path / ("x" * 250))
    assert not [each for each in tmp_path.iterdir() if each.name.startswith((".", "x"))]


@pytest.mark.parametrize(
    ("mode", "content", "expected"),
    [
        ("text", b"a=/old/lib\nb=/old\n", b"a=/n/lib\nb=/n\n"),
        ("binary", b"\x01/old/lib\0z/old\0", b"\x01/n/lib\0\0\0z/n\0\0\0"),
        ("binary", b"/old:/old/x\0\0y", b"/n:/n/x\0\0\0\0\0\0y"),
        ("binary", b"no end /old", b"no end /old"),
    ],
)
def test_a_path_is_replaced_as_conda_does(mode: str, content: bytes, expected: bytes) -> None:
    assert relocation.replaced(content, b"/old", b"/n", mode) == expected
