"""The rebuild proof: the environment is built in the store, and the model loads and answers its example in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from envkit.child.sandbox import Confinement, confinement
from envkit.environments import prediction
from envkit.environments.environment import Environment
from envkit.environments.reproduction import prepare_model
from envkit.errors import (
    BuildFailed,
    EnvkitError,
    InterpreterNotFound,
    InvalidInput,
    PredictionFailed,
)
from envkit.formats import envkit_json
from envkit.models.directory import ModelDirectory
from envkit.validating.files.evidence import Evidence
from envkit.validating.options import Demands, Tolerance
from envkit.validating.stages.answers import ColumnDifference, compare


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """How it went.

    unbuilt: why there is no environment. failed: why the model did not load or answer. answered:
    whether there is an `answer`, as JSON values; a model without an example is loaded only. notes:
    of the build, such as another patch version of Python. seconds: for all of it.
    """

    environment: Environment | None = None
    unbuilt: EnvkitError | None = None
    failed: EnvkitError | None = None
    answered: bool = False
    answer: Any = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def rebuild(model: ModelDirectory, demands: Demands) -> Rebuilt:
    """Build, load and predict. Raises `ToolNotFound` and `NotAnInterpreter` for what this machine lacks."""
    began = time.perf_counter()
    try:
        environment = prepare_model(model, demands.choice, demands.report)
    except (BuildFailed, InterpreterNotFound, InvalidInput) as error:
        return Rebuilt(unbuilt=error, seconds=time.perf_counter() - began)
    try:
        answer = answered(model, environment, demands, confinement(demands.sandbox, demands.report))
    except (PredictionFailed, InvalidInput) as error:
        seconds = time.perf_counter() - began
        return Rebuilt(
            environment=environment, failed=error, notes=environment.notes, seconds=seconds
        )
    return Rebuilt(
        environment=environment,
        answered=model.example_path is not None,
        answer=answer,
        notes=environment.notes,
        seconds=time.perf_counter() - began,
    )


def answered(
    model: ModelDirectory,
    environment: Environment,
    demands: Demands,
    confined: Confinement | None = None,
) -> Any:
    """Give a model's answer to its example in an environment. Raises `PredictionFailed`, `InvalidFile`."""
    return prediction.answer_example(
        environment,
        model.request(),
        timeout=demands.timeout,
        variables=demands.variables,
        memory_bytes=demands.memory_bytes,
        confinement=confined,
    )


def varies(model: ModelDirectory, rebuilt: Rebuilt, demands: Demands) -> bool:
    """Whether a model answers its example otherwise when it is asked again, in the same environment."""
    if rebuilt.environment is None or not rebuilt.answered:
        return False
    try:
        again = answered(model, rebuilt.environment, demands, confinement(demands.sandbox, None))
    except (PredictionFailed, InvalidInput):
        return True
    return bool(again != rebuilt.answer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What the evidence says of the answer. digest: where the answer was too large to be kept."""

    output: Any = None
    digest: str = ""


def recorded(evidence: Evidence | None) -> Recorded | None:
    """Give the recorded answer; None where none was recorded."""
    if evidence is not None:
        found = evidence.content.get("prediction")
    else:
        found = None
    if not isinstance(found, Mapping) or not found.keys() & {"output", "output_sha256"}:
        return None
    return Recorded(output=found.get("output"), digest=str(found.get("output_sha256") or ""))


def differences(
    before: Recorded, answer: Any, tolerance: Tolerance
) -> tuple[ColumnDifference, ...]:
    """Compare an answer with the recorded one, by its digest where nothing else was kept."""
    if not before.digest:
        return compare(before.output, answer, tolerance)
    if sha256(envkit_json.dumps({"output": answer}).encode()).hexdigest() == before.digest:
        return ()
    changed = "it is another than the recorded one, of which only a digest was kept: no column can be named"
    return (ColumnDifference(column="", shapes=[changed]),)
