from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.models import download_model
from envkit.models.dependencies import read_model_dependencies
from envkit.models.directory import ModelDirectory
from envkit.models.uris import archives
from tests.builders.fixture_models import FixtureModel

Named = Callable[[str], FixtureModel]


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _packed(model: Path, archive: Path, inside: str) -> None:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in model.rglob("*"):
                file.write(path, Path(inside, path.relative_to(model)))
        return
    kind = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(archive.suffix, "")
    with tarfile.open(str(archive), f"w:{kind}") as packed:  # type: ignore[call-overload]
        packed.add(model, arcname=inside)


@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz", ".zip"])
@pytest.mark.parametrize("inside", [".", "model"])
def test_an_archive_of_a_model_is_a_model(
    fixture_model: Named, tmp_path: Path, suffix: str, inside: str
) -> None:
    model = fixture_model("sklearn_pipeline").path
    archive = tmp_path / f"packed{suffix}"
    _packed(model, archive, inside)

    opened = ModelDirectory.open(archive)

    assert opened.python_function.loader_module == "mlflow.sklearn"
    assert read_model_dependencies(archive.as_uri())[0] == (model / "requirements.txt").read_text()
    assert opened.path == ModelDirectory.open(str(archive)).path, "it is unpacked once"


def test_a_changed_archive_is_unpacked_again(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    _tar(archive, (_member("MLmodel"), b"flavors: {python_function: {loader_module: one}}"))
    first = ModelDirectory.open(archive)
    archive.unlink()
    _tar(archive, (_member("MLmodel"), b"flavors: {python_function: {loader_module: another}}"))

    assert first.python_function.loader_module == "one"
    assert ModelDirectory.open(archive).python_function.loader_module == "another"


@pytest.mark.parametrize(
    "hostile",
    [
        _member("../evil"),
        _member("a/../../evil"),
        _member("/evil"),
        _member("a\\..\\evil"),
        _member("link", tarfile.SYMTYPE, "/etc/passwd"),
        _member("link", tarfile.SYMTYPE, "MLmodel"),
        _member("hard", tarfile.LNKTYPE, "MLmodel"),
        _member("device", tarfile.CHRTYPE),
        _member("pipe", tarfile.FIFOTYPE),
        _member("MLmodel"),
        _member("MLmodel/x"),
    ],
    ids=lambda info: f"{info.name}-{info.type.decode()}",
)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, own_store: Path, hostile: tarfile.TarInfo
) -> None:
    archive = _tar(tmp_path / "model.tar.gz", (_member("MLmodel"), b"flavors: {}"), (hostile, b""))

    with pytest.raises(InvalidFile, match=r"model\.tar\.gz"):
        ModelDirectory.open(archive)

    assert {path.name for path in own_store.rglob("*") if path.is_file()} == {".lock"}
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb_is_not_unpacked(
    tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("envkit.models.uris.archives._ALWAYS_ALLOWED", 1_000_000)
    archive = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("MLmodel", b"\0" * 20_000_000)
    else:
        _tar(archive, (_member("MLmodel"), b"\0" * 20_000_000))

    with pytest.raises(InvalidFile, match="far more than an archive of its size"):
        ModelDirectory.open(archive)

    assert not [path for path in own_store.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04cut", b"\x1f\x8b\x08\0cut"])
@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_a_damaged_archive_is_reported(tmp_path: Path, content: bytes, suffix: str) -> None:
    archive = tmp_path / f"model{suffix}"
    archive.write_bytes(content)

    with pytest.raises((InvalidFile, ModelNotFound)):
        ModelDirectory.open(archive)


def test_links_in_a_zip_file_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as file:
        info = zipfile.ZipInfo("MLmodel")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")

    with pytest.raises(InvalidFile, match="a link or a device"):
        ModelDirectory.open(archive)


def test_a_link_that_leads_out_is_not_copied(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path
    (tmp_path / "secret").write_text("x")
    (model / "notes").symlink_to(tmp_path / "secret")

    with pytest.raises(PathOutsideModel, match="notes"):
        download_model(model, tmp_path / "to")

    assert not (tmp_path / "to").exists()


def test_fields_of_a_model_in_an_archive_stay_inside(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    _tar(
        archive,
        (_member("MLmodel"), b"flavors: {python_function: {loader_module: x, data: ../../x}}"),
    )

    with pytest.raises(PathOutsideModel):
        ModelDirectory.open(archive)


def test_nothing_can_be_written_to_an_archive(tmp_path: Path) -> None:
    archive = _tar(tmp_path / "model.tar.gz", (_member("MLmodel"), b"flavors: {}"))

    with pytest.raises(InvalidArgument, match=r"is not a local folder.*Do that"):
        ModelDirectory.open(archive, hint="Do that.")


def test_a_folder_named_like_an_archive_is_a_folder(fixture_model: Named, tmp_path: Path) -> None:
    model = fixture_model("sklearn_pipeline").path.rename(tmp_path / "model.zip")

    assert ModelDirectory.open(str(model)).path == model


def _header(kind: bytes, size: int) -> bytes:
    info = _member("x", kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "kind",
    [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE],
)
@pytest.mark.parametrize("opener", [gzip.open, bz2.open, lzma.open])
def test_a_long_header_of_a_tar_file_is_not_read(
    tmp_path: Path, kind: bytes, opener: Callable[..., Any]
) -> None:
    archive = tmp_path / "model.tar.gz"
    size = 64 << 20
    with opener(archive, "wb") as file:
        file.write(_header(kind, size))
        for _ in range(size >> 20):
            file.write(b"a" * (1 << 20))
        file.write(_header(tarfile.REGTYPE, 0) + bytes(1024))
    (tmp_path / "to").mkdir()

    tracemalloc.start()
    try:
        with pytest.raises(InvalidFile, match="too long a header"):
            archives.extract(archive, tmp_path / "to", "model.tar.gz")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_long_map_of_a_sparse_file_is_not_read(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    header = bytearray(_header(tarfile.GNUTYPE_SPARSE, 0))
    header[482] = 1  # its map goes on in the next block, which says the same
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with gzip.open(archive, "wb") as file:
        file.write(bytes(header) + (b"0" * 504 + b"\1" + bytes(7)) * 20_000)
    (tmp_path / "to").mkdir()

    with pytest.raises(InvalidFile, match="too long a header"):
        archives.extract(archive, tmp_path / "to", "model.tar.gz")


def test_headers_before_one_member_are_limited(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    with gzip.open(archive, "wb") as file:
        file.write((_header(tarfile.XHDTYPE, 512) + bytes(512)) * 900)
    (tmp_path / "to").mkdir()

    with pytest.raises(InvalidFile):
        archives.extract(archive, tmp_path / "to", "model.tar.gz")


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_folders_count_as_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr("envkit.models.uris.archives._MOST_MEMBERS", 10)
    archive = tmp_path / f"model.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for number in range(11):
                file.writestr(f"{number}/", b"")
    else:
        _tar(archive, *((_member(str(number), tarfile.DIRTYPE), b"") for number in range(11)))
    (tmp_path / "to").mkdir()

    with pytest.raises(InvalidFile, match="limit of 10"):
        archives.extract(archive, tmp_path / "to", archive.name)

    assert len(list((tmp_path / "to").iterdir())) == 10


def test_a_long_list_of_members_of_a_zip_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envkit.models.uris.archives._MOST_DIRECTORY_BYTES", 10_000)
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(400):
            file.writestr(f"{number}/", b"")
    (tmp_path / "to").mkdir()

    with pytest.raises(InvalidFile, match="too long a list"):
        archives.extract(archive, tmp_path / "to", archive.name)


def test_names_longer_than_a_header_of_a_tar_file_are_kept(tmp_path: Path) -> None:
    name = "/".join(["n" * 200] * 5)
    archive = _tar(tmp_path / "model.tar.gz", (_member(name), b"x"), (_member("MLmodel"), b"{}"))
    (tmp_path / "to").mkdir()

    archives.extract(archive, tmp_path / "to", archive.name)

    assert (tmp_path / "to" / name).read_bytes() == b"x"
