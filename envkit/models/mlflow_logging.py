"""A model logged to MLflow's tracking server, through `mlflow-skinny` when that is installed.

MLflow 3 keeps it as a logged model (`models:/m-…`), which need not belong to a run; clients and
servers before that keep it among the artifacts of a run.
https://mlflow.org/docs/latest/ml/model/#models-as-first-class-citizens
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from envkit.errors import InvalidArgument, InvalidInput, ToolNotFound
from envkit.models.uris.tracking import unreachable

# the tag of a run under which MLflow's interface finds its models
_HISTORY = "mlflow.log-model.history"
# to servers before MLflow 3
_UNKNOWN = {"ENDPOINT_NOT_FOUND", "NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED"}
_NOT_IN_NAMES = frozenset("/:.%\"'")  # of logged models


class Description(Protocol):
    """What logging reads and sets of a `Model`."""

    artifact_path: str | None
    run_id: str | None
    model_id: str | None
    model_uuid: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give what `MLmodel` holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """How a model is logged. run_id: default the active run. told: `model_type`, `params`, `tags` of a logged model.

    registered_model_name, wait: make it a version of that, and wait so many seconds until it is
    ready.
    """

    registered_model_name: str | None = None
    wait: int | None = None
    run_id: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def log(
    model: Description, flavor: Any, wishes: Wishes, arguments: Mapping[str, Any]
) -> int | None:
    """Save and log a model; it then says where. Gives the version under which it was registered, if it was.

    Raises `ToolNotFound` without `mlflow-skinny`, `InvalidInput` when there is no server,
    `InvalidArgument` for what only logged models of MLflow 3 have.
    """
    mlflow = client_library()
    if problem := unreachable(str(mlflow.get_tracking_uri())):
        raise InvalidInput(f"{problem}.")
    logged = _logged_model(mlflow, model, wishes)
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        path = Path(folder, "model")
        if logged is not None:
            uri = _put(mlflow, logged, model, flavor, path, arguments)
        elif wishes.told:
            raise InvalidArgument(
                f"{', '.join(wishes.told)}: MLflow knows that of models since its version 3."
            )
        else:
            with _run(mlflow, wishes.run_id) as model.run_id:
                uri = _put_into_run(mlflow.MlflowClient(), model, flavor, path, arguments)
    if wishes.registered_model_name is None:
        return None
    version = mlflow.register_model(
        uri, wishes.registered_model_name, await_registration_for=wishes.wait or 0
    )
    return int(version.version)


def client_library() -> Any:
    """Import MLflow's client. Raises `ToolNotFound` that names the extra."""
    try:
        return import_module("mlflow")
    except ModuleNotFoundError as error:
        if error.name != "mlflow":
            raise
        remedy = "Logging to a tracking server needs it: `pip install 'envkit[mlflow]'`. Or save the model to a folder."
        raise ToolNotFound("mlflow-skinny", remedy) from error


def _logged_model(mlflow: Any, model: Description, wishes: Wishes) -> Any:
    """Make a logged model without files; None where there are no such models, or none of that name."""
    if not hasattr(mlflow, "initialize_logged_model") or _NOT_IN_NAMES & set(
        model.artifact_path or ""
    ):
        return None
    run = mlflow.active_run()
    model.run_id = wishes.run_id or (run.info.run_id if run is not None else None)
    told = dict(wishes.told)
    if wishes.run_id is not None:
        told["experiment_id"] = mlflow.get_run(wishes.run_id).info.experiment_id
    try:
        return mlflow.initialize_logged_model(
            name=model.artifact_path, source_run_id=model.run_id, **told
        )
    except mlflow.exceptions.MlflowException as error:
        if error.error_code not in _UNKNOWN:
            raise
        return None


def _put(
    mlflow: Any,
    logged: Any,
    model: Description,
    flavor: Any,
    path: Path,
    arguments: Mapping[str, Any],
) -> str:
    model.artifact_path, model.model_id, model.model_uuid = (
        logged.artifact_location,
        logged.model_id,
        logged.model_id,
    )
    status = "FAILED"
    try:
        flavor.save_model(path=str(path), mlflow_model=model, **arguments)
        client = mlflow.MlflowClient()
        client.log_model_artifacts(logged.model_id, str(path))
        if model.run_id is not None:
            client.log_outputs(
                model.run_id, [mlflow.entities.LoggedModelOutput(logged.model_id, step=0)]
            )
        status = "READY"
    finally:
        mlflow.finalize_logged_model(logged.model_id, status)
    return f"models:/{logged.model_id}"


@contextmanager
def _run(mlflow: Any, run_id: str | None) -> Iterator[str]:
    run = mlflow.active_run()
    if run_id is not None or run is not None:
        yield run_id or run.info.run_id
        return
    with mlflow.start_run() as started:
        yield started.info.run_id


def _put_into_run(
    client: Any, model: Description, flavor: Any, path: Path, arguments: Mapping[str, Any]
) -> str:
    flavor.save_model(path=str(path), mlflow_model=model, **arguments)
    client.log_artifacts(model.run_id, str(path), model.artifact_path)
    _add_to_history(client, str(model.run_id), model)
    return f"runs:/{model.run_id}/{model.artifact_path}"


def _add_to_history(client: Any, run_id: str, model: Description) -> None:
    known = ("artifact_path", "flavors", "model_uuid", "run_id", "utc_time_created")
    entry = {key: value for key, value in model.to_dict().items() if key in known}
    before = json.loads(client.get_run(run_id).data.tags.get(_HISTORY, "[]"))
    client.set_tag(run_id, _HISTORY, json.dumps([*before, entry]))
