"""How a model, and an archive of its environment, reach the executors."""

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
    """A file or folder that executors can read.

    name: of a file that Spark carries. path: of what lies where the executors run.
    """

    name: str = ""
    path: str = ""

    def local_path(self) -> Path:
        """Give its path on the executor that calls this."""
        if self.path:
            return Path(self.path)
        return Path(import_module("pyspark").SparkFiles.get(self.name))


def ship_model(spark: Any, model: ModelDirectory) -> Shipped:
    """Make a model readable on the executors: in place on a local master, else as an archive."""
    place = model.path / (model.artifact or "")
    if _is_local(spark):
        return Shipped(path=str(place))
    # The driver serves the archive from here until Spark removes its root folder.
    folder = Path(tempfile.mkdtemp(prefix="envkit-", dir=_root()))
    digest = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    archive = folder / f"envkit-{digest}-{folder.name[-8:]}.tar"
    with tarfile.open(archive, "w", dereference=True) as tar:
        for path in model.own_places:
            tar.add(path, arcname=path.relative_to(model.path), filter=_without_bytecode)
    return ship_file(spark, archive)


def ship_file(spark: Any, path: Path) -> Shipped:
    """Make a file readable on the executors."""
    if _is_local(spark):
        return Shipped(path=str(path))
    spark.sparkContext.addFile(str(path))
    return Shipped(name=path.name)


def _root() -> str:
    """Give the folder for files of this Spark application, which is removed with it."""
    return str(import_module("pyspark").SparkFiles.getRootDirectory())


def _is_local(spark: Any) -> bool:
    """Whether executors run in the driver's process."""
    master = str(spark.sparkContext.master)
    return master == "local" or master.startswith("local[")


def _without_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name.split("/") else member
