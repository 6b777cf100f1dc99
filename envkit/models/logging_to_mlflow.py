"""A model logged to MLflow's tracking server, through `mlflow-skinny` when that is installed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.errors import ToolNotFound

if TYPE_CHECKING:
    from envkit.models.model import Model

_HISTORY = "mlflow.log-model.history"  # the tag of a run under which MLflow's interface finds its models


def log(model: Model, flavor: Any, name: str | None, wait: int | None, arguments: Mapping[str, Any]) -> int | None:
    """Save and log a model; it then says in which run. Gives the version under which it was registered, if it was.

    Raises `ToolNotFound` without `mlflow-skinny`.
    """
    mlflow = client_library()
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        path = Path(folder, "model")
        run = mlflow.active_run()
        if run is not None:
            return _logged(mlflow, run.info.run_id, model, flavor, path, name, wait, arguments)
        with mlflow.start_run() as started:
            return _logged(mlflow, started.info.run_id, model, flavor, path, name, wait, arguments)


def client_library() -> Any:
    """Import MLflow's client. Raises `ToolNotFound` that names the extra."""
    try:
        return import_module("mlflow")
    except ModuleNotFoundError as error:
        if error.name != "mlflow":
            raise
        remedy = "Logging to a tracking server needs it: `pip install 'envkit[mlflow]'`. Or save the model to a folder."
        raise ToolNotFound("mlflow-skinny", remedy) from error


def _logged(
    mlflow: Any,
    run_id: str,
    model: Model,
    flavor: Any,
    path: Path,
    name: str | None,
    wait: int | None,
    arguments: Mapping[str, Any],
) -> int | None:
    model.run_id = run_id
    flavor.save_model(path=str(path), mlflow_model=model, **arguments)
    mlflow.log_artifacts(str(path), artifact_path=model.artifact_path)
    _add_to_history(mlflow.MlflowClient(), run_id, model)
    if name is None:
        return None
    uri = f"runs:/{run_id}/{model.artifact_path}"
    version = mlflow.register_model(uri, name, await_registration_for=wait or 0)
    return int(version.version)


def _add_to_history(client: Any, run_id: str, model: Model) -> None:
    known = ("artifact_path", "flavors", "model_uuid", "run_id", "utc_time_created")
    entry = {key: value for key, value in model.to_dict().items() if key in known}
    before = json.loads(client.get_run(run_id).data.tags.get(_HISTORY, "[]"))
    client.set_tag(run_id, _HISTORY, json.dumps([*before, entry]))
