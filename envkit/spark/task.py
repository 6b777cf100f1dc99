"""A task of Spark: one process that has loaded the model, and ends with the task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from envkit.spark import conversion
from envkit.spark.inputs import Inputs
from envkit.spark.result_types import ResultType
from envkit.spark.shipping import Shipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What a task needs to know.

    environment: an archive of the environment; None to build it where it is missing. variables:
    environment variables for the model. model_config: replaces the saved configuration by key.
    """

    model: Shipped
    environment: Shipped | None
    choice: EnvironmentChoice
    result: ResultType
    inputs: Inputs
    params: dict[str, Any] | None
    variables: Mapping[str, str]
    model_config: Mapping[str, Any] | None

    def run(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Yield the predictions for each batch: a Series, or a DataFrame for a struct.

        Raises `PredictionFailed` with the model's traceback, and what building the environment
        raises.
        """
        model = ModelDirectory.open(self.model.local_path())
        if self.environment is not None:
            unpack(self.environment.local_path())
        environment = prepare_model(model, self.choice)
        with occupied(environment) as descriptors:
            workplace = Workplace(
                environment=environment,
                request=self._worker_request(model),
                variables=self.variables,
                descriptors=descriptors,
            )
            worker = workplace.start(workplace.prepare())
            try:
                if _receive(worker) is None:
                    raise _with_traceback(workplace.failure(worker.end(1.0)))
                for batch in batches:
                    yield self._predict(worker, batch if isinstance(batch, tuple) else (batch,))
            finally:
                worker.end()

    def _worker_request(self, model: ModelDirectory) -> dict[str, Any]:
        request: dict[str, Any] = {**model.request(), "example": None}
        if self.model_config is None:
            return request
        flavor = request["python_function"]
        saved = flavor.get("config")
        if not isinstance(saved, Mapping):
            saved = {}
        config = {**saved, **self.model_config}
        return {**request, "python_function": {**flavor, "config": config}}

    def _predict(self, worker: Worker, batch: tuple[Any, ...]) -> Any:
        request = self.inputs.request(batch, self.params)
        messages.write(worker.channel, {"ask": "predict", "content_type": "json"}, request)
        message = _receive(worker)
        if message is None:
            raise PredictionFailed("predict", f"its process {worker.end(1.0).failure}")
        header, body = message
        if header["event"] == "error":
            problem = f"{header['type']}: {header['message']}"
            error = PredictionFailed(str(header["phase"]), problem, str(header["traceback"]))
            raise _with_traceback(error)
        rows = len(batch[0])
        columns = conversion.columns_of(json.loads(body)["predictions"], rows)
        converted = conversion.convert(columns, self.result)
        return conversion.to_pandas(converted, self.result, rows)


def _receive(worker: Worker) -> tuple[Mapping[str, Any], bytes] | None:
    """Give the worker's next message; None when it has ended or its model wrote something else."""
    try:
        return messages.read(worker.channel)
    except (OSError, ValueError):
        return None


def _with_traceback(error: PredictionFailed) -> PredictionFailed:
    """Put the model's traceback into the message: Spark shows only that."""
    problem = f"{error.problem}\n{error.traceback}".rstrip()
    return PredictionFailed(error.phase, problem, error.traceback)
