"""Layers and their cache: the same content gives the same bytes, and is made once."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from envkit.environments.packing.members import Member
from envkit.images.blob_cache import BlobCache, ContentDiffers
from envkit.images.descriptor import Descriptor, digest_of
from envkit.images.image import Layer
from envkit.images.layers.layer_cache import LayerCache
from envkit.images.layers.layer_file import Compression, write_layer
from tests.builders.registries import EPOCH


def make(cache: BlobCache, folder: Path, compression: Compression = Compression.GZIP) -> Layer:
    folder.mkdir()
    (folder / "program").write_bytes(b"#!/bin/true\n")
    members = [
        Member(name="lib/a.txt", content=b"a" * 5000),
        Member(name="bin/program", content=folder / "program", executable=True),
        Member(name="bin/link", link="program"),
    ]
    return write_layer(
        members, "opt/x", cache=cache, compression=compression, created_by="test", time=EPOCH
    )


@pytest.mark.parametrize("compression", Compression)
def test_a_layer_made_twice_has_the_same_digest(tmp_path: Path, compression: Compression) -> None:
    first = make(BlobCache(tmp_path / "one"), tmp_path / "a", compression)
    second = make(BlobCache(tmp_path / "two"), tmp_path / "b", compression)

    assert first.blob.descriptor == second.blob.descriptor
    assert first.diff_id == second.diff_id


@pytest.mark.parametrize("compression", Compression)
def test_a_layer_holds_folders_files_and_links_of_root(
    cache: BlobCache, tmp_path: Path, compression: Compression
) -> None:
    layer = make(cache, tmp_path / "a", compression)

    packed = layer.blob.read()
    if compression is Compression.GZIP:
        plain = gzip.decompress(packed)
    else:
        plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read()
    assert digest_of(plain) == layer.diff_id
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        entries = archive.getmembers()
    assert [(entry.name, oct(entry.mode)) for entry in entries] == [
        ("opt", "0o755"),
        ("opt/x", "0o755"),
        ("opt/x/lib", "0o755"),
        ("opt/x/lib/a.txt", "0o644"),
        ("opt/x/bin", "0o755"),
        ("opt/x/bin/program", "0o755"),
        ("opt/x/bin/link", "0o777"),
    ]
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries} == {
        (0, 0, "", EPOCH)
    }


def test_a_layer_that_fails_leaves_nothing(cache: BlobCache, tmp_path: Path) -> None:
    members = [Member(name="a", content=b"a"), Member(name="b", content=tmp_path / "absent")]

    with pytest.raises(FileNotFoundError):
        write_layer(
            members,
            "x",
            cache=cache,
            compression=Compression.GZIP,
            created_by="test",
            time=EPOCH,
        )

    assert list((cache.folder / "blobs").iterdir()) == []


def test_a_cached_layer_is_made_once(cache: BlobCache, tmp_path: Path) -> None:
    made = []

    def maker(name: str) -> Callable[[], tuple[Layer, dict[str, str]]]:
        def run() -> tuple[Layer, dict[str, str]]:
            made.append(name)
            return make(cache, tmp_path / name), {"fact": name}

        return run

    layers = LayerCache(cache)
    first = layers.get({"key": 1}, "by", maker("first"))
    again = layers.get({"key": 1}, "by", maker("again"))
    other = layers.get({"key": 2}, "by", maker("other"))

    assert made == ["first", "other"]
    assert again == first
    assert other.facts == {"fact": "other"}


@pytest.mark.parametrize("damage", ["truncate", "remove", "garble"])
def test_a_damaged_entry_of_the_cache_is_made_again(
    cache: BlobCache, tmp_path: Path, damage: str
) -> None:
    layers = LayerCache(cache)
    first = layers.get({}, "by", lambda: (make(cache, tmp_path / "a"), {}))
    blob = cache.path(first.layer.blob.descriptor.digest)
    if damage == "truncate":
        blob.write_bytes(blob.read_bytes()[:-1])
    elif damage == "remove":
        blob.unlink()
    else:
        next((cache.folder / "layers").glob("*.json")).write_text("{")

    second = layers.get({}, "by", lambda: (make(cache, tmp_path / "b"), {}))

    assert second.layer.blob.read()
    assert second.layer.blob.descriptor == first.layer.blob.descriptor
    assert (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"abX", "another digest"), (b"ab", "has 2 bytes"), (b"abcd", "more than the 3 bytes")],
)
def test_content_that_differs_from_its_descriptor_is_not_kept(
    cache: BlobCache, content: bytes, problem: str
) -> None:
    descriptor = Descriptor(media_type="x", digest=digest_of(b"abc"), size=3)

    with pytest.raises(ContentDiffers, match=problem):
        cache.add(descriptor, [content])

    assert cache.find(descriptor) is None
    assert list((cache.folder / "blobs").iterdir()) == []
