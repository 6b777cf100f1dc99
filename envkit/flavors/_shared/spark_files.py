"""Write Spark pipelines to local files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.inside.loaders import spark as loader


def write(pipeline: Any, folder: Path, shared: str | None) -> None:
    """Write a pipeline into a folder.

    shared: a folder that the driver and the workers of a cluster share; the files pass through it.
    """
    if shared is None:
        pipeline.write().overwrite().save(folder.as_uri())
        return
    place = loader.shared_place(shared)
    pipeline.write().save(place)
    context = loader.session().sparkContext
    source = loader.hadoop_path(context, place)
    target = loader.hadoop_path(context, folder.as_uri())
    file_system = source.getFileSystem(context._jsc.hadoopConfiguration())
    # The first True removes the source, the last one writes no checksum files.
    file_system.copyToLocalFile(True, source, target, True)
