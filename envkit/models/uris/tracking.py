"""Models that MLflow's tracking server or registry knows, asked through `mlflow-skinny`."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.errors import ToolNotFound
from envkit.models.uris.naming import scheme_of
from envkit.models.uris.need import Entries, Entry
from envkit.models.uris.source import told

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an artifact repository of MLflow holds."""

    uri: str
    repository: Any

    def entries(self) -> Entries:
        """See `Source`. The server tells sizes alone."""
        with told(self.uri, "listed"):
            found = {each.path: Entry(size=each.file_size) for each in self._walk(None)}
            if not found:
                raise FileNotFoundError(self.uri)
            return found

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        with told(self.uri, "fetched"), ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(lambda name: self._get(name, into), sorted(names)):
                pass

    def _get(self, name: str, into: Path) -> None:
        self.repository.download_artifacts(name, dst_path=str(into))

    def _walk(self, path: str | None) -> Iterator[Any]:
        for each in self.repository.list_artifacts(path):
            if each.is_dir:
                yield from self._walk(each.path)
            else:
                yield each


def open_tracked(uri: str) -> Tracked:
    """Ask where a URI leads. Raises `ToolNotFound`, `ModelNotFound`."""
    try:
        registry = import_module("mlflow.store.artifact.artifact_repository_registry")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "mlflow":
            raise ToolNotFound(str(error.name), f"MLflow's client needs it for {scheme_of(uri)}:/ URIs.") from error
        remedy = f"{scheme_of(uri)}:/ URIs need it: `pip install 'envkit[mlflow]'`."
        raise ToolNotFound("mlflow-skinny", remedy) from error
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with told(uri, "reached"):
        try:
            return Tracked(uri, registry.get_artifact_repository(uri))
        except ModuleNotFoundError as error:  # boto3, azure.storage …
            remedy = f"MLflow keeps these artifacts where its client needs it: `pip install {error.name}`."
            raise ToolNotFound(str(error.name), remedy) from error
