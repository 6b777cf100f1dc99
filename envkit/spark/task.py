"""What runs in each task of Spark: one process with the model in its environment, which ends with the task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from envkit.child.worker import Worker
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.packing.unpack import unpack
from envkit.environments.reproduction import prepare_model
from envkit.environments.store.in_use import occupied
from envkit.environments.workers import Workplace
from envkit.errors import PredictionFailed
from envkit.inside import messages
from envkit.models.directory import ModelDirectory
from envkit.spark.inputs import Inputs
from envkit.spark.result_types import Columns, Kind, Struct, converted, ddl
from envkit.spark.shipping import Shipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """All that a task must know. environment: an archive of it, None to build it where it is not there."""

    model: Shipped
    environment: Shipped | None
    choice: EnvironmentChoice
    result: Kind
    inputs: Inputs
    params: Mapping[str, Any] | None
    variables: Mapping[str, str]
    model_config: Mapping[str, Any] | None


def run(task: Task, batches: Iterator[Any]) -> Iterator[Any]:
    """Yield the predictions for each batch, a Series, or a DataFrame for a struct.

    Raises `PredictionFailed` with the model's traceback, and what building the environment raises.
    """
    model = ModelDirectory.open(task.model.here())
    if task.environment is not None:
        unpack(task.environment.here())
    environment = prepare_model(model, task.choice)
    with occupied(environment) as descriptors:
        workplace = Workplace(
            environment=environment,
            request=_request(model, task),
            variables=task.variables,
            descriptors=descriptors,
        )
        worker = workplace.start(workplace.prepare())
        try:
            if _heard(worker) is None:
                raise _told(workplace.failure(worker.end(1.0)))
            for batch in batches:
                yield _predicted(worker, task, batch if isinstance(batch, tuple) else (batch,))
        finally:
            worker.end()


def _request(model: ModelDirectory, task: Task) -> dict[str, Any]:
    request = {**model.request(), "example": None}
    if task.model_config is None:
        return request
    flavor = request["python_function"]
    saved = flavor.get("config")
    merged = {**(saved if isinstance(saved, Mapping) else {}), **task.model_config}
    return {**request, "python_function": {**flavor, "config": merged}}


def _predicted(worker: Worker, task: Task, batch: tuple[Any, ...]) -> Any:
    asked = task.inputs.request(batch)
    if task.params is not None:
        asked = json.dumps({**json.loads(asked), "params": task.params}).encode()
    messages.write(worker.channel, {"ask": "predict", "content_type": "json"}, asked)
    heard = _heard(worker)
    if heard is None:
        raise PredictionFailed("predict", f"its process {worker.end(1.0).ended.how}")
    header, body = heard
    if header["event"] == "error":
        said = f"{header['type']}: {header['message']}"
        raise _told(PredictionFailed(str(header["phase"]), said, str(header["traceback"])))
    rows = len(batch[0])
    found = converted(_columns(json.loads(body)["predictions"], rows), task.result)
    return _answer(found, task.result, rows)


def _heard(worker: Worker) -> tuple[Mapping[str, Any], bytes] | None:
    try:
        return messages.read(worker.channel)
    except (OSError, ValueError):  # it ended, or its model wrote something else
        return None


def _told(error: PredictionFailed) -> PredictionFailed:
    """Put the model's traceback into the message: Spark hands on nothing else."""
    shown = f"\n{error.traceback.rstrip()}" if error.traceback else ""
    return PredictionFailed(error.phase, f"{error.problem}{shown}", error.traceback)


def _columns(predictions: Any, rows: int) -> Columns:
    """Give an answer by its columns: a table, an array of one or two dimensions, or an object of columns."""
    if isinstance(predictions, Mapping):
        return {name: _long(values, rows) for name, values in predictions.items()}
    values = _long(predictions, rows)
    if values and all(isinstance(each, Mapping) for each in values):
        return {name: [each.get(name) for each in values] for name in values[0]}
    widths = {len(each) if isinstance(each, list) else -1 for each in values}
    flat = (
        len(widths) == 1
        and -1 not in widths
        and not any(isinstance(each, list) for row in values for each in row)
    )
    if flat:
        return {place: list(column) for place, column in enumerate(zip(*values, strict=True))}
    return {0: values}


def _long(values: Any, rows: int) -> list[Any]:
    if not isinstance(values, list) or len(values) != rows:
        if isinstance(values, list):
            had = f"{len(values)} values"
        else:
            had = "one value"
        raise PredictionFailed(
            "predict", f"the model gave {had} for {rows} rows; Spark needs one for each"
        )
    return values


def _answer(found: Any, kind: Kind, rows: int) -> Any:
    pandas = import_module("pandas")
    if isinstance(kind, Struct):
        series = {name: _series(found[name], ddl(each)) for name, each in kind.fields}
        return pandas.DataFrame(series, index=range(rows))
    return _series(found, ddl(kind))


def _series(values: list[Any], kind: str) -> Any:
    pandas = import_module("pandas")
    dtype = "float64" if kind in ("double", "float") else "object"
    return pandas.Series(values, dtype=dtype)
