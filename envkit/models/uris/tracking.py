"""Models that MLflow's tracking server or registry knows, asked through `mlflow-skinny`.

A run of MLflow 3 has its models not among its own artifacts but as logged models, found by their name:
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
from envkit.models.uris.source import told
from envkit.models.uris.threads import for_each

SERVER = "MLFLOW_TRACKING_URI"
_SECONDS = 10.0
_LONGEST = 300
_LOGIN = (
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, say who asks"
)
_NOT_SET = f"{SERVER}, which names the server, is not set"
# to servers before MLflow 3
UNSUPPORTED = {"ENDPOINT_NOT_FOUND", "NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED"}


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an artifact repository of MLflow holds. server: as it may be shown."""

    uri: str
    server: str
    repository: Any

    @property
    def place(self) -> str:
        """See `Source`: the URI of the artifacts, to which names, aliases and stages lead."""
        return f"{self.server} {self.repository.artifact_uri} {name_of(self.uri)}"

    def entries(self) -> Entries:
        """See `Source`. The server tells sizes alone."""
        with _told(self.uri, self.server):
            found = {each.path: Entry(size=each.file_size) for each in self._walk(None)}
            if not found:
                raise FileNotFoundError(self.uri)
            return found

    def get(self, names: Collection[str], into: Path) -> None:
        """See `Source`."""
        with _told(self.uri, self.server):
            for_each(
                sorted(names),
                lambda name: self.repository.download_artifacts(name, dst_path=str(into)),
            )

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
        mlflow = import_module("mlflow")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "mlflow":
            raise ToolNotFound(
                str(error.name), f"MLflow's client needs it for {scheme_of(uri)}:/ URIs."
            ) from error
        remedy = f"{scheme_of(uri)}:/ URIs need it: `pip install 'envkit[mlflow]'`."
        raise ToolNotFound("mlflow-skinny", remedy) from error
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    address = str(mlflow.get_tracking_uri())
    server = without_credentials(address)
    if problem := unreachable(address) or _absent_file(address, str(mlflow.get_registry_uri())):
        raise ModelNotFound(shown(uri), problem)
    with _told(uri, server):
        try:
            if uri.lower().startswith("runs:/") and "://" not in uri:
                leads_to = _of_run(mlflow, uri)
            else:
                leads_to = uri
            found = registry.get_artifact_repository(leads_to)
            # it would add a file of its own to the model
            while type(found).__name__ == "ModelsArtifactRepository":
                found = found.repo
            return Tracked(uri, server, found)
        except ModuleNotFoundError as error:  # boto3, azure.storage …
            remedy = f"MLflow keeps these artifacts where its client needs it: `pip install {error.name}`."
            raise ToolNotFound(str(error.name), remedy) from error


def _of_run(mlflow: Any, uri: str) -> str:
    """Give the URI of what a run calls so: a model that it logged, else one of its own artifacts."""
    run_id, _, path = uri.partition(":")[2].strip("/").partition("/")
    if not run_id:
        raise ModelNotFound(
            shown(uri), "it names no run: write runs:/<run>/<path of the model in it>"
        )
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    name, _, rest = path.partition("/")
    model = _logged_model(mlflow, client, run, name) if name else None
    if model is None:
        parts = (run.info.artifact_uri, path)
    else:
        parts = (model.artifact_location, rest)
    return "/".join(filter(None, parts))


def _logged_model(mlflow: Any, client: Any, run: Any, name: str) -> Any:
    """Give the newest model that a run logged under a name; None for clients and servers that have no such."""
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
        for each in page:
            if each.source_run_id == run.info.run_id:
                return each
        token = page.token
        if not token:
            return None


def unreachable(address: str) -> str:
    """Say why there is no server at an address, empty when there may be: MLflow's client would try for five minutes."""
    parts = urlsplit(address)
    if (
        parts.scheme not in HTTP
        or not parts.hostname
        or (parts.scheme in getproxies() and not _direct(parts.hostname))
    ):
        return ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname, port), timeout=_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        server = without_credentials(address)
        return (
            f"MLflow's server at {server} cannot be reached ({reason}); {SERVER} names the server"
        )
    return ""


def _absent_file(address: str, registry: str) -> str:
    """Say that there is no file of MLflow's, empty when there is: by being asked, MLflow would make one."""
    path = Path(address.removeprefix("sqlite:///"))
    if not address.startswith("sqlite:///") or registry != address or path.exists():
        return ""
    if os.environ.get(SERVER):
        advice = f"{SERVER} names the server"
    else:
        advice = _NOT_SET
    return f"there is no file {path} of MLflow's; {advice}"


def _direct(host: str) -> bool:
    return bool(proxy_bypass(host))


@contextmanager
def _told(uri: str, server: str) -> Iterator[None]:
    """Tell what MLflow's client or server says, and what a user of it can do."""
    try:
        with told(uri, "fetched"):
            try:
                yield
            except EnvkitError:
                raise
            except Exception as error:
                if not _is_of_mlflow(error):
                    raise
                raise ModelNotFound(shown(uri), _said(error, uri, server)) from None
    except ModelNotFound as error:
        advice = _advice(error.problem)
        raise (
            ModelNotFound(error.where, f"{error.problem}; {advice}") if advice else error
        ) from error.__cause__


def _is_of_mlflow(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] == "mlflow"


def _said(error: Exception, uri: str, server: str) -> str:
    text = without_secrets(str(error), uri).strip().partition("\n")[0]
    code = str(getattr(error, "error_code", ""))
    return f"MLflow at {server} says: {text.removeprefix(f'{code}: ')[:_LONGEST].rstrip('.')}"


def _advice(problem: str) -> str:
    if "error code 401" in problem or "401 Client Error" in problem:
        return _LOGIN
    if not os.environ.get(SERVER) and problem.startswith("MLflow at "):
        return _NOT_SET
    return ""
