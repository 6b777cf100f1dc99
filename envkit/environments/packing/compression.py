"""The compression of an archive: written as its suffix says, read as its first bytes say."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from envkit.errors import InvalidArgument, ToolNotFound

SUFFIXES = (".tar.zst", ".tar.gz", ".tgz", ".tar")
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_ZSTD_LEVEL, _GZIP_LEVEL = 6, 6
_ZSTD_MODULES = ("zstandard", "compression.zstd")  # the second is new in Python 3.14


def check(path: Path) -> None:
    """Refuse a name without a known suffix, or one whose library is missing, before any work.

    Raises `InvalidArgument` or `ToolNotFound`.
    """
    if not path.name.endswith(SUFFIXES):
        known = ", ".join(SUFFIXES)
        raise InvalidArgument(
            f"The name {path.name} must end with one of {known}, which say how to compress. "
            "(Zip archives keep neither links nor the right to start programs.)"
        )
    if path.name.endswith(".zst"):
        _zstd(path)


@contextmanager
def writing(path: Path, name: str) -> Iterator[Any]:
    """Open a file to write what is compressed as `name` says; equal content gives equal bytes.

    Raises `OSError`.
    """
    with path.open("xb") as file:
        if name.endswith(".zst"):
            with _zstd_writer(path, file) as stream:
                yield stream
        elif name.endswith("gz"):
            with gzip.GzipFile(
                filename="", mode="wb", fileobj=file, compresslevel=_GZIP_LEVEL, mtime=0
            ) as stream:
                yield stream
        else:
            yield file


def _zstd_writer(path: Path, file: IO[bytes]) -> Any:
    module = _zstd(path)
    if module.__name__ != "zstandard":
        return module.ZstdFile(file, "wb", level=_ZSTD_LEVEL)
    compressor = module.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True, threads=-1)
    return compressor.stream_writer(file, closefd=False)


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
    """Return the exceptions that reading a damaged archive raises."""
    import lzma
    import tarfile
    import zlib

    exceptions: list[type[Exception]] = [
        tarfile.TarError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        gzip.BadGzipFile,
    ]
    for name in _ZSTD_MODULES:
        try:
            exceptions.append(import_module(name).ZstdError)
        except ImportError:
            continue
    return tuple(exceptions)


def _zstd(path: Path) -> Any:
    for name in _ZSTD_MODULES:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ToolNotFound(
        "zstandard",
        f"{path.name} is compressed with it: `pip install 'envkit[pack]'`, "
        "or choose a name that ends with `.tar.gz`.",
    )
