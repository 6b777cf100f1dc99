"""How a model and an archive of its environment reach the executors."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipped:
    """A file or folder that executors find. name: as Spark calls a file that it carried; path: where all see it."""

    name: str = ""
    path: str = ""

    def here(self) -> Path:
        """Give the path on this machine."""
        if self.path:
            return Path(self.path)
        return Path(import_module("pyspark").SparkFiles.get(self.name))


def shipped_model(spark: Any, model: ModelDirectory) -> Shipped:
    """Make a model reach the executors: as it lies where they run on this machine, else as an archive."""
    place = model.path / (model.artifact or "")
    if _is_local(spark):
        return Shipped(path=str(place))
    # served from there until Spark removes it
    folder = Path(tempfile.mkdtemp(prefix="envkit-", dir=_root()))
    archive = (
        folder
        / f"envkit-{hashlib.sha256(str(place).encode()).hexdigest()[:12]}-{folder.name[-8:]}.tar"
    )
    with tarfile.open(archive, "w", dereference=True) as file:
        for each in model.own_places:
            file.add(each, arcname=each.relative_to(model.path), filter=_needed)
    return shipped_file(spark, archive)


def shipped_file(spark: Any, path: Path) -> Shipped:
    """Make a file reach the executors."""
    if _is_local(spark):
        return Shipped(path=str(path))
    spark.sparkContext.addFile(str(path))
    return Shipped(name=path.name)


def _root() -> str:
    """The folder of this Spark application's files, which ends with it."""
    return str(import_module("pyspark").SparkFiles.getRootDirectory())


def _is_local(spark: Any) -> bool:
    master = str(spark.sparkContext.master)
    return master == "local" or master.startswith("local[")


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in member.name.split("/"):
        return None
    return member
