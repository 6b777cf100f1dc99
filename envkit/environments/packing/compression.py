"""The compression of an archive: told by the suffix when it is written, by its first bytes when it is read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, ToolNotFound

SUFFIXES = (".tar.zst", ".tar.gz", ".tgz", ".tar")
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_ZSTD_LEVEL, _GZIP_LEVEL = 6, 6


def check(path: Path) -> None:
    """Refuse a name that tells no compression, or one whose library is missing, before any work is done.

    Raises `InvalidArgument` or `ToolNotFound`.
    """
    if not path.name.endswith(SUFFIXES):
        raise InvalidArgument(
            f"{path.name} ends with none of {', '.join(SUFFIXES)}, which say how to compress. "
            "(Zip archives keep neither links nor the right to start programs.)"
        )
    if path.name.endswith(".zst"):
        _zstd(path)


@contextmanager
def writing(path: Path, name: str) -> Iterator[Any]:
    """Open a file to write what is compressed as `name` says; equal content gives equal bytes. Raises `OSError`."""
    with path.open("xb") as file:
        if name.endswith(".zst"):
            module = _zstd(path)
            if module.__name__ == "zstandard":
                compressor = module.ZstdCompressor(
                    level=_ZSTD_LEVEL, write_checksum=True, threads=-1
                )
                with compressor.stream_writer(file, closefd=False) as stream:
                    yield stream
            else:
                with module.ZstdFile(file, "wb", level=_ZSTD_LEVEL) as stream:
                    yield stream
        elif name.endswith("gz"):
            with gzip.GzipFile(
                filename="", mode="wb", fileobj=file, compresslevel=_GZIP_LEVEL, mtime=0
            ) as stream:
                yield stream
        else:
            yield file


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Open a file to read what it holds. Raises `OSError`, `ToolNotFound`."""
    with path.open("rb") as file:
        begin = file.read(4)
        file.seek(0)
        if begin == _ZSTD:
            module = _zstd(path)
            if module.__name__ == "zstandard":
                yield module.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            else:
                with module.ZstdFile(file) as stream:
                    yield stream
        elif begin[:2] == _GZIP:
            with gzip.GzipFile(fileobj=file) as stream:
                yield stream
        else:
            yield file


def damage() -> tuple[type[Exception], ...]:
    """The exceptions by which a damaged archive is told while it is read."""
    import lzma
    import tarfile
    import zlib

    found: list[type[Exception]] = [
        tarfile.TarError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        gzip.BadGzipFile,
    ]
    for name in ("zstandard", "compression.zstd"):
        try:
            module = __import__(name, fromlist=["ZstdError"])
        except ImportError:
            continue
        found.append(module.ZstdError)
    return tuple(found)


def _zstd(path: Path) -> Any:
    try:
        import zstandard
    except ImportError:
        try:
            from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14
        except ImportError:
            raise ToolNotFound(
                "zstandard",
                f"{path.name} is compressed with it: `pip install 'envkit[pack]'`, or choose a name with `.tar.gz`.",
            ) from None
        return zstd
    return zstandard
