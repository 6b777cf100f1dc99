"""The rebuild proof: the model answers its example in an environment built from its files."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from envkit.child.sandbox import Confinement, confinement
from envkit.environments import prediction
from envkit.environments.environment import Environment
from envkit.environments.prediction import ProcessOptions
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
from envkit.validating.files.facts import ModelFacts, as_object
from envkit.validating.options import RunOptions, StageOptions, Tolerance
from envkit.validating.stages.answers import ColumnDifference, compare


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """The model in its rebuilt environment.

    not_built: why there is no environment.
    failed: why the model did not load or answer.
    answered: whether there is an `answer`, as JSON values; a model without an example is only
        loaded.
    is_recorded: whether the capture recorded an answer.
    differences: from that one.
    varies: whether the model gives another answer each time, whatever its environment.
    notes: of the build, such as another patch version of Python.
    seconds: for the build and the first answer.
    """

    environment: Environment | None = None
    not_built: EnvkitError | None = None
    failed: EnvkitError | None = None
    answered: bool = False
    answer: Any = None
    is_recorded: bool = False
    differences: tuple[ColumnDifference, ...] = ()
    varies: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def rebuild(facts: ModelFacts, options: StageOptions) -> Rebuilt:
    """Build, load, predict and compare.

    Raises `ToolNotFound` and `NotAnInterpreter` for what is missing on this machine.
    """
    began = time.perf_counter()
    try:
        model = facts.usable_directory()
        environment = prepare_model(model, options.run.choice, options.progress)
    except (BuildFailed, InterpreterNotFound, InvalidInput) as error:
        return Rebuilt(not_built=error, seconds=time.perf_counter() - began)
    confined = confinement(options.run.sandbox, options.progress)
    try:
        answer = answer_example(model, environment, options.run, confined)
    except (PredictionFailed, InvalidInput) as error:
        seconds = time.perf_counter() - began
        return Rebuilt(
            environment=environment, failed=error, notes=environment.notes, seconds=seconds
        )
    rebuilt = Rebuilt(
        environment=environment,
        answered=model.example_path is not None,
        answer=answer,
        notes=environment.notes,
        seconds=time.perf_counter() - began,
    )
    recorded = _recorded(facts.evidence)
    if recorded is None or not rebuilt.answered:
        return replace(rebuilt, is_recorded=recorded is not None)
    differences = _differences(recorded, answer, options.tolerance)
    varies = bool(differences) and _varies(model, environment, answer, options.run, confined)
    return replace(rebuilt, is_recorded=True, differences=differences, varies=varies)


def answer_example(
    model: ModelDirectory,
    environment: Environment,
    options: RunOptions,
    confined: Confinement | None,
) -> Any:
    """Give a model's answer to its example. Raises `PredictionFailed`, `InvalidFile`."""
    return prediction.answer_example(
        environment,
        model.request(),
        ProcessOptions(
            timeout=options.timeout,
            variables=options.variables,
            memory_bytes=options.memory_bytes,
            confinement=confined,
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorded:
    """The answer in the evidence. digest: where it was too large to be kept."""

    output: Any = None
    digest: str = ""


def _recorded(evidence: Evidence | None) -> _Recorded | None:
    if evidence is None:
        return None
    answer = as_object(evidence.content.get("prediction"))
    if "output" not in answer and "output_sha256" not in answer:
        return None
    return _Recorded(output=answer.get("output"), digest=str(answer.get("output_sha256") or ""))


def _differences(
    recorded: _Recorded, answer: Any, tolerance: Tolerance
) -> tuple[ColumnDifference, ...]:
    if not recorded.digest:
        return compare(recorded.output, answer, tolerance)
    text = envkit_json.dumps({"output": answer})
    if sha256(text.encode()).hexdigest() == recorded.digest:
        return ()
    difference = (
        "differs from the recorded one; only its digest was kept, so no column can be named"
    )
    return (ColumnDifference(column="", shapes=[difference]),)


def _varies(
    model: ModelDirectory,
    environment: Environment,
    answer: Any,
    options: RunOptions,
    confined: Confinement | None,
) -> bool:
    """Whether the same model in the same environment gives another answer the second time."""
    try:
        return bool(answer_example(model, environment, options, confined) != answer)
    except (PredictionFailed, InvalidInput):
        return True
