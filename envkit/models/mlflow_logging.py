"""Log a model to an MLflow tracking server, through `mlflow-skinny`.

MLflow 3 keeps it as a logged model (`models:/m-…`), which need not belong to a run; clients and
servers before that keep it among the artifacts of a run.
https://mlflow.org/docs/latest/ml/model/#models-as-first-class-citizens
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from envkit.errors import InvalidArgument, InvalidInput, ToolNotFound
from envkit.models.uris.tracking import UNSUPPORTED, unreachable

# Tag of a run in which MLflow's user interface looks for the run's models.
_HISTORY_TAG = "mlflow.log-model.history"
_HISTORY_KEYS = ("artifact_path", "flavors", "model_uuid", "run_id", "utc_time_created")
# Not allowed in the name of a logged model.
_RESERVED_CHARACTERS = frozenset("/:.%\"'")


class Description(Protocol):
    """What logging reads and sets of a `Model`."""

    artifact_path: str | None
    run_id: str | None
    model_id: str | None
    model_uuid: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `MLmodel`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How a model is logged.

    registered_model_name: registered model of which it becomes a version.
    await_registration_for: seconds to wait until that version is ready. run_id: run of the model,
    None for the active one. step: of the run. model_id: an existing logged model.
    logged_model_facts: `model_type`, `params`, `tags` of a logged model.
    """

    registered_model_name: str | None = None
    await_registration_for: int | None = None
    run_id: str | None = None
    step: int = 0
    model_id: str | None = None
    logged_model_facts: Mapping[str, Any] = field(default_factory=dict)


Save = Callable[[Path], None]
"""Writes the model into a folder that does not exist yet."""


def log(
    model: Description, flavor: Any, options: Options, arguments: Mapping[str, Any]
) -> int | None:
    """Save and log a model; return the version under which it was registered, or None.

    The description gets the place of the model before it is saved.
    """
    mlflow = client_library()
    if problem := unreachable(str(mlflow.get_tracking_uri())):
        raise InvalidInput(f"{problem}.")

    def save(folder: Path) -> None:
        flavor.save_model(path=str(folder), mlflow_model=model, **arguments)

    logged_model = _new_logged_model(mlflow, model, options)
    with tempfile.TemporaryDirectory(prefix="envkit-") as parent:
        folder = Path(parent, "model")
        if logged_model is not None:
            uri = _fill_logged_model(mlflow, logged_model, model, save, folder, options.step)
        else:
            uri = _log_to_run(mlflow, model, options, save, folder)
    if options.registered_model_name is None:
        return None
    version = mlflow.register_model(
        uri,
        options.registered_model_name,
        await_registration_for=options.await_registration_for or 0,
    )
    return int(version.version)


def client_library() -> Any:
    """Import MLflow's client; `ToolNotFound` names the extra that installs it."""
    try:
        return import_module("mlflow")
    except ModuleNotFoundError as error:
        if error.name != "mlflow":
            raise
        remedy = (
            "Install it to log models to a tracking server: `pip install 'envkit[mlflow]'`. "
            "Or save the model to a folder."
        )
        raise ToolNotFound("mlflow-skinny", remedy) from error


def _new_logged_model(mlflow: Any, model: Description, options: Options) -> Any:
    """Create a logged model without files; None if client, server or name do not allow one."""
    if options.model_id is not None:
        return mlflow.get_logged_model(options.model_id)
    name = model.artifact_path or ""
    if not hasattr(mlflow, "initialize_logged_model") or _RESERVED_CHARACTERS & set(name):
        return None
    facts = dict(options.logged_model_facts)
    if options.run_id is not None:
        model.run_id = options.run_id
        facts["experiment_id"] = mlflow.get_run(options.run_id).info.experiment_id
    elif (active_run := mlflow.active_run()) is not None:
        model.run_id = active_run.info.run_id
    try:
        return mlflow.initialize_logged_model(
            name=model.artifact_path, source_run_id=model.run_id, **facts
        )
    except mlflow.exceptions.MlflowException as error:
        if error.error_code not in UNSUPPORTED:
            raise
        return None


def _fill_logged_model(
    mlflow: Any, logged_model: Any, model: Description, save: Save, folder: Path, step: int
) -> str:
    """Save the model and upload its files; return its URI."""
    model_id = logged_model.model_id
    model.artifact_path = logged_model.artifact_location
    model.model_id = model_id
    model.model_uuid = model_id
    status = "FAILED"
    try:
        save(folder)
        client = mlflow.MlflowClient()
        client.log_model_artifacts(model_id, str(folder))
        if model.run_id is not None:
            output = mlflow.entities.LoggedModelOutput(model_id, step=step)
            client.log_outputs(model.run_id, [output])
        status = "READY"
    finally:
        mlflow.finalize_logged_model(model_id, status)
    return f"models:/{model_id}"


def _log_to_run(mlflow: Any, model: Description, options: Options, save: Save, folder: Path) -> str:
    """Save the model among the artifacts of a run; return its URI."""
    if options.logged_model_facts:
        names = ", ".join(options.logged_model_facts)
        raise InvalidArgument(f"{names}: needs a client and a server of MLflow 3.")
    with _run(mlflow, options.run_id) as run_id:
        model.run_id = run_id
        save(folder)
        client = mlflow.MlflowClient()
        client.log_artifacts(run_id, str(folder), model.artifact_path)
        _add_to_history(client, run_id, model)
    return f"runs:/{run_id}/{model.artifact_path}"


@contextmanager
def _run(mlflow: Any, run_id: str | None) -> Iterator[str]:
    """Give the ID of the named run, of the active run or of a new one that then ends."""
    if run_id is not None:
        yield run_id
        return
    active_run = mlflow.active_run()
    if active_run is not None:
        yield active_run.info.run_id
        return
    with mlflow.start_run() as new_run:
        yield new_run.info.run_id


def _add_to_history(client: Any, run_id: str, model: Description) -> None:
    content = model.to_dict()
    entry = {key: content[key] for key in _HISTORY_KEYS if key in content}
    history = json.loads(client.get_run(run_id).data.tags.get(_HISTORY_TAG, "[]"))
    client.set_tag(run_id, _HISTORY_TAG, json.dumps([*history, entry]))
