"""Models of an MLflow tracking server or registry, read through `mlflow-skinny`.

A run of MLflow 3 has its models not among its artifacts but as logged models of a name:
https://mlflow.org/docs/latest/ml/model/#models-as-first-class-citizens
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from envkit.errors import EnvkitError, ModelNotFound, ToolNotFound
from envkit.formats.credentials import without_credentials
from envkit.models.uris.naming import HTTP, name_of, scheme_of, shown, without_secrets
from envkit.models.uris.required_files import Entries, Entry
from envkit.models.uris.source import errors_of
from envkit.models.uris.threads import for_each

SERVER = "MLFLOW_TRACKING_URI"
# Error codes of servers before MLflow 3 for requests that they do not know.
UNSUPPORTED = {"ENDPOINT_NOT_FOUND", "NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED"}
_CONNECT_SECONDS = 10.0
_LONGEST_MESSAGE = 300
_LOG_IN = (
    "log in with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
)
_SET_SERVER = f"{SERVER} is not set; set it to the URL of the server"


@dataclass(frozen=True, slots=True)
class Tracked:
    """An artifact repository of MLflow.

    server: its URL without credentials. repository: the object of MLflow's client.
    """

    uri: str
    server: str
    repository: Any

    @property
    def place(self) -> str:
        """See `Source`: the URI of the artifacts, to which versions, aliases and stages lead."""
        return f"{self.server} {self.repository.artifact_uri} {name_of(self.uri)}"

    def entries(self) -> Entries:
        """See `Source`. The server knows sizes only."""
        with _errors_of_mlflow(self.uri, self.server):
            entries = {file.path: Entry(size=file.file_size) for file in self._walk(None)}
            if not entries:
                raise FileNotFoundError(self.uri)
            return entries

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""

        def download(name: str) -> None:
            self.repository.download_artifacts(name, dst_path=str(into))

        with _errors_of_mlflow(self.uri, self.server):
            for_each(sorted(names), download)

    def _walk(self, path: str | None) -> Iterator[Any]:
        for item in self.repository.list_artifacts(path):
            if item.is_dir:
                yield from self._walk(item.path)
            else:
                yield item


def open_tracked(uri: str) -> Tracked:
    """Find the artifacts of a URI; raise `ToolNotFound` or `ModelNotFound`."""
    mlflow, registry = _client(uri)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    address = str(mlflow.get_tracking_uri())
    problem = unreachable(address) or _absent_file(address, str(mlflow.get_registry_uri()))
    if problem:
        raise ModelNotFound(shown(uri), problem)
    server = without_credentials(address)
    with _errors_of_mlflow(uri, server):
        try:
            return Tracked(uri, server, _repository(mlflow, registry, uri))
        # The library of a store (boto3, azure.storage, …) is not installed.
        except ModuleNotFoundError as error:
            remedy = f"MLflow's client needs it for these artifacts: `pip install {error.name}`."
            raise ToolNotFound(str(error.name), remedy) from error


def unreachable(address: str) -> str:
    """Return why no server answers at an address, or an empty text.

    MLflow's client would retry for five minutes. Servers behind a proxy are not checked.
    """
    parts = urlsplit(address)
    if parts.scheme not in HTTP or not parts.hostname:
        return ""
    if parts.scheme in getproxies() and not proxy_bypass(parts.hostname):
        return ""
    default_port = 443 if parts.scheme == "https" else 80
    try:
        server = (parts.hostname, parts.port or default_port)
        socket.create_connection(server, timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return (
            f"MLflow's server at {without_credentials(address)} cannot be reached ({reason}); "
            f"check {SERVER}"
        )
    return ""


def _client(uri: str) -> tuple[Any, Any]:
    """Import MLflow's client and its registry of artifact repositories."""
    try:
        registry = import_module("mlflow.store.artifact.artifact_repository_registry")
        return import_module("mlflow"), registry
    except ModuleNotFoundError as error:
        scheme = scheme_of(uri)
        if str(error.name).partition(".")[0] != "mlflow":
            remedy = f"MLflow's client needs it to read {scheme}:/ URIs."
            raise ToolNotFound(str(error.name), remedy) from error
        remedy = f"Install it to read {scheme}:/ URIs: `pip install 'envkit[mlflow]'`."
        raise ToolNotFound("mlflow-skinny", remedy) from error


def _repository(mlflow: Any, registry: Any, uri: str) -> Any:
    artifacts = uri
    if uri.lower().startswith("runs:/") and "://" not in uri:
        artifacts = _uri_in_run(mlflow, uri)
    repository = registry.get_artifact_repository(artifacts)
    # The outer repository would add a file to the model.
    while type(repository).__name__ == "ModelsArtifactRepository":
        repository = repository.repo
    return repository


def _uri_in_run(mlflow: Any, uri: str) -> str:
    """Return the URI of a run's logged model of that name, or else of the run's artifacts."""
    _, _, text = uri.partition(":")
    run_id, _, path = text.strip("/").partition("/")
    if not run_id:
        raise ModelNotFound(
            shown(uri), "the URI names no run; write runs:/<run>/<path of the model in the run>"
        )
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    name, _, rest = path.partition("/")
    location = _location_of_logged_model(mlflow, client, run, name) if name else None
    if location is None:
        return "/".join(filter(None, (run.info.artifact_uri, path)))
    return "/".join(filter(None, (location, rest)))


def _location_of_logged_model(mlflow: Any, client: Any, run: Any, name: str) -> str | None:
    """Return where the newest model is that a run logged under a name, or None."""
    # Clients before MLflow 3 do not know logged models; the filter has no escape for quotes.
    if not hasattr(client, "search_logged_models") or "'" in name:
        return None
    token = None
    while True:
        try:
            page = client.search_logged_models(
                experiment_ids=[run.info.experiment_id],
                filter_string=f"name = '{name}'",
                page_token=token,
            )
        except mlflow.exceptions.MlflowException as error:
            if error.error_code in UNSUPPORTED:
                return None
            raise
        for model in page:
            if model.source_run_id == run.info.run_id:
                return str(model.artifact_location)
        token = page.token
        if not token:
            return None


def _absent_file(address: str, registry: str) -> str:
    """Return that MLflow's database file does not exist, which its client would create."""
    path = Path(address.removeprefix("sqlite:///"))
    if not address.startswith("sqlite:///") or registry != address or path.exists():
        return ""
    remedy = f"check {SERVER}" if os.environ.get(SERVER) else _SET_SERVER
    return f"there is no MLflow database at {path}; {remedy}"


@contextmanager
def _errors_of_mlflow(uri: str, server: str) -> Iterator[None]:
    """Turn errors of MLflow's client and server into a `ModelNotFound` with a remedy."""
    try:
        with errors_of(uri, "fetched"):
            try:
                yield
            except EnvkitError:
                raise
            except Exception as error:
                if type(error).__module__.partition(".")[0] != "mlflow":
                    raise
                raise ModelNotFound(shown(uri), _problem(error, uri, server)) from None
    except ModelNotFound as error:
        if not _is_unauthorized(error.problem):
            raise
        raise ModelNotFound(error.where, f"{error.problem}; {_LOG_IN}") from error.__cause__


def _problem(error: Exception, uri: str, server: str) -> str:
    text = without_secrets(str(error), uri).strip().partition("\n")[0]
    code = str(getattr(error, "error_code", ""))
    message = text.removeprefix(f"{code}: ")[:_LONGEST_MESSAGE].rstrip(".")
    problem = f"MLflow at {server} says: {message}"
    if not os.environ.get(SERVER) and not _is_unauthorized(problem):
        problem += f"; {_SET_SERVER}"
    return problem


def _is_unauthorized(message: str) -> bool:
    """Return whether a message is MLflow's or requests' of the HTTP status 401."""
    return "error code 401" in message or "401 Client Error" in message
