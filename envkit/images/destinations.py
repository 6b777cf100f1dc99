"""Where a finished image goes: a folder, a file, a container engine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from envkit.child import process
from envkit.errors import BuildFailed, ToolNotFound
from envkit.images import docker_archive, layout
from envkit.images.image import ImageSet
from envkit.images.options import Engine

ARCHIVE_SUFFIX = ".tar"
_SECONDS = 1800.0


def write_output(output: Path, images: ImageSet, tag: str, full_name: str) -> None:
    """Write a layout, or an archive when the name ends with `.tar`.

    Raises `BuildFailed`, `InvalidArgument`; then nothing new is left.
    """
    if output.name.endswith(ARCHIVE_SUFFIX):
        docker_archive.write(output, images, tag, full_name)
    else:
        layout.write(output, images, tag, full_name)


def load(
    engine: Engine, images: ImageSet, tag: str, full_name: str, environ: Mapping[str, str]
) -> None:
    """Give an image to an engine. Raises `ToolNotFound` without it, `BuildFailed` when it fails."""
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        archive = Path(folder, "image.tar")
        docker_archive.write(archive, images, tag, full_name)
        argv = [engine.value, "load", "--input", str(archive)]
        try:
            ended = process.run(argv, environment=environ, timeout=_SECONDS, keep_output=True)
        except FileNotFoundError:
            raise ToolNotFound(
                engine.value, "Install it, or write the image to a folder with `-o`."
            ) from None
        except OSError as error:
            raise BuildFailed(f"start {engine.value}", os.strerror(error.errno or 0)) from error
    if not ended.succeeded:
        raise BuildFailed(f"load the image: {engine.value} {ended.how}", ended.output[-2000:])
