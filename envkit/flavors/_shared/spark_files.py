"""Pipelines of Spark, written to files of this machine by whatever Spark they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.inside.loaders import spark as loader


def write(pipeline: Any, folder: Path, shared: str | None) -> None:
    """Write a pipeline. shared: a folder that driver and workers of a cluster share, through which its files go."""
    if shared is None:
        pipeline.write().overwrite().save(folder.as_uri())
        return
    place = loader.shared_place(shared)
    pipeline.write().save(place)
    context = loader.session().sparkContext
    source = loader.hadoop_path(context, place)
    files = source.getFileSystem(context._jsc.hadoopConfiguration())
    files.copyToLocalFile(True, source, loader.hadoop_path(context, folder.as_uri()), True)
