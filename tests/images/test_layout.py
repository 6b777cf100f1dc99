"""Image layouts and archives, read back by envkit and by the tools of others."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit.errors import BuildFailed, InvalidArgument, InvalidFile
from envkit.images import blob_cache, docker_archive, layout
from envkit.images.bases.image_source import NoSuchPlatform, read_base
from envkit.images.blob_cache import BlobCache
from envkit.images.docker_archive import ArchiveSource
from envkit.images.image import ImageSet, image_set
from envkit.images.layers.layer_file import Compression
from envkit.images.layout import LayoutSource
from tests.builders.registries import AMD64, needs

SmallImage = Callable[..., ImageSet]


def silent(_: str) -> None: ...


def inspect(where: str) -> dict[str, object]:
    output = subprocess.check_output(["skopeo", "inspect", "--raw", where])
    found: dict[str, object] = json.loads(output)
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_layout_is_read_back_as_a_base(tmp_path: Path, small_image: SmallImage) -> None:
    written = small_image(b"one", b"two")
    layout.write(tmp_path / "out", written, "1.0")

    base = read_base(LayoutSource(tmp_path / "out"), AMD64, BlobCache(tmp_path / "other"), silent)

    assert base.digest == written.root.descriptor.digest
    assert [layer.blob.descriptor for layer in base.layers] == [
        blob.descriptor for blob in written.images[0].blobs[1:]
    ]
    assert base.configuration["config"]["Env"] == ["A=b"]


def test_a_layout_holds_several_tags_and_replaces_one(
    tmp_path: Path, small_image: SmallImage
) -> None:
    folder = tmp_path / "out"
    layout.write(folder, small_image(b"old"), "a")
    layout.write(folder, small_image(b"kept"), "b")
    layout.write(folder, small_image(b"new"), "a")

    index = json.loads((folder / "index.json").read_text())
    tags = [entry["annotations"][layout.TAG] for entry in index["manifests"]]
    assert tags == ["b", "a"]
    assert (
        LayoutSource(folder, "a").root().descriptor.digest
        == small_image(b"new").root.descriptor.digest
    )


def test_a_layout_with_several_images_wants_a_tag(tmp_path: Path, small_image: SmallImage) -> None:
    layout.write(tmp_path / "out", small_image(b"a"), "a")
    layout.write(tmp_path / "out", small_image(b"b"), "b")

    with pytest.raises(InvalidArgument, match="tags: a, b"):
        LayoutSource(tmp_path / "out").root()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, small_image: SmallImage) -> None:
    (tmp_path / "mine").write_text("mine")

    with pytest.raises(InvalidArgument, match="not an image layout"):
        layout.write(tmp_path, small_image(b"a"), "a")

    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_leaves_a_layout_as_it_was(
    tmp_path: Path, small_image: SmallImage, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    folder = tmp_path / "out"
    if exists:
        layout.write(folder, small_image(b"old"), "a")
    before = tree(tmp_path / "out")
    images = small_image(b"new")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(BuildFailed, match="No space left"):
        layout.write(folder, images, "a")

    assert tree(folder) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_leaves_no_archive(
    tmp_path: Path, small_image: SmallImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = small_image(b"new")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(BuildFailed, match="No space left"):
        docker_archive.write(tmp_path / "a.tar", images, "a", "a:1")

    assert not list(tmp_path.glob("*.tar*"))
    assert not list(tmp_path.glob(".*tar*"))


def test_an_archive_is_read_back_as_a_base(tmp_path: Path, small_image: SmallImage) -> None:
    written = small_image(b"one", b"two")
    docker_archive.write(tmp_path / "a.tar", written, "1", "localhost/a:1")

    base = read_base(
        ArchiveSource(tmp_path / "a.tar"), AMD64, BlobCache(tmp_path / "other"), silent
    )

    assert base.digest == written.root.descriptor.digest
    assert len(base.layers) == 2


def test_what_docker_saved_before_version_25_is_read(
    tmp_path: Path, small_image: SmallImage
) -> None:
    written = small_image(b"one")
    docker_archive.write(tmp_path / "new.tar", written, "1", "localhost/a:1")
    with (
        tarfile.open(tmp_path / "new.tar") as new,
        tarfile.open(tmp_path / "old.tar", "w") as old,
    ):
        for member in new:
            if member.name not in {layout.INDEX, layout.MARKER}:
                old.addfile(member, new.extractfile(member))

    base = read_base(
        ArchiveSource(tmp_path / "old.tar"), AMD64, BlobCache(tmp_path / "other"), silent
    )

    assert [layer.diff_id for layer in base.layers] == base.configuration["rootfs"]["diff_ids"]


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"manifests": [{"digest": "x"}]}', b'{"manifests": 3}'],
)
def test_a_malformed_index_is_refused(
    tmp_path: Path, small_image: SmallImage, damage: bytes
) -> None:
    layout.write(tmp_path / "out", small_image(b"a"), "a")
    (tmp_path / "out" / "index.json").write_bytes(damage)

    with pytest.raises(InvalidFile, match="not a valid image"):
        LayoutSource(tmp_path / "out").root()


def test_a_damaged_layer_of_a_base_is_refused(tmp_path: Path, small_image: SmallImage) -> None:
    images = small_image(b"a")
    layout.write(tmp_path / "out", images, "a")
    blob = layout.blob_path(tmp_path / "out", images.images[0].blobs[1].descriptor.digest)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")

    with pytest.raises(InvalidFile, match="another digest"):
        read_base(LayoutSource(tmp_path / "out"), AMD64, BlobCache(tmp_path / "other"), silent)


def test_a_base_for_another_platform_is_refused(tmp_path: Path, small_image: SmallImage) -> None:
    layout.write(tmp_path / "out", small_image(b"a", platform="linux/arm64"), "a")

    with pytest.raises(NoSuchPlatform, match="is for linux/arm64, not for linux/amd64"):
        read_base(LayoutSource(tmp_path / "out"), AMD64, BlobCache(tmp_path / "other"), silent)


def test_the_image_of_a_platform_is_chosen_from_an_index(
    tmp_path: Path, small_image: SmallImage
) -> None:
    images = [
        small_image(platform.encode(), platform=platform).images[0]
        for platform in ("linux/arm64", "linux/amd64")
    ]
    layout.write(tmp_path / "out", image_set(images, {}), "a")

    base = read_base(LayoutSource(tmp_path / "out"), AMD64, BlobCache(tmp_path / "other"), silent)

    assert base.digest == images[1].manifest.descriptor.digest


@pytest.mark.images
@needs("skopeo")
@pytest.mark.parametrize("compression", Compression)
def test_skopeo_reads_layouts_and_archives(
    tmp_path: Path, small_image: SmallImage, compression: Compression
) -> None:
    images = small_image(b"one", b"two", compression=compression)
    layout.write(tmp_path / "out", images, "1.0", "localhost/a:1.0")
    docker_archive.write(tmp_path / "a.tar", images, "1.0", "localhost/a:1.0")

    manifest = json.loads(images.root.read())
    assert inspect(f"oci:{tmp_path}/out:1.0") == manifest
    assert inspect(f"oci-archive:{tmp_path}/a.tar:1.0") == manifest
    config = subprocess.check_output(
        ["skopeo", "inspect", "--config", f"docker-archive:{tmp_path}/a.tar:localhost/a:1.0"]
    )
    assert json.loads(config)["config"]["User"] == "65532:65532"


@pytest.mark.images
@needs("umoci")
def test_umoci_unpacks_a_layout(tmp_path: Path, small_image: SmallImage) -> None:
    layout.write(tmp_path / "out", small_image(b"one", b"two"), "1.0")

    subprocess.run(
        ["umoci", "unpack", "--image", f"{tmp_path}/out:1.0", str(tmp_path / "bundle")],
        check=True,
        capture_output=True,
    )

    assert tree(tmp_path / "bundle" / "rootfs") == {"data/0.txt": b"one", "data/1.txt": b"two"}


@pytest.mark.images
@needs("skopeo")
def test_what_skopeo_wrote_is_a_base(tmp_path: Path, small_image: SmallImage) -> None:
    layout.write(tmp_path / "out", small_image(b"one", b"two"), "1.0")
    subprocess.run(
        [
            "skopeo",
            "copy",
            "-q",
            f"oci:{tmp_path}/out:1.0",
            f"docker-archive:{tmp_path}/saved.tar:localhost/a:1",
        ],
        check=True,
    )

    base = read_base(
        ArchiveSource(tmp_path / "saved.tar"), AMD64, BlobCache(tmp_path / "other"), silent
    )

    assert len(base.layers) == 2


def test_a_blob_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        blob_cache.copy_blob(tmp_path / "absent", tmp_path / "target")

    assert list(tmp_path.iterdir()) == []
