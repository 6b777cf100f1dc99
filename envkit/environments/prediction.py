"""Predict with a model inside an environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from envkit.child import left_behind, runner, scratch
from envkit.child import variables as variables_of
from envkit.child.journal import Event, Journal
from envkit.child.sandbox import Confinement
from envkit.child.variables import Variables
from envkit.environments import bytecode
from envkit.environments.conda import state as conda_state
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.store.in_use import occupied
from envkit.errors import InvalidArgument, InvalidFile, NotAnInterpreter, PredictionFailed
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.visible_paths import visible_paths


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessOptions:
    """How the process of a model runs.

    timeout: seconds. variables: set for the model in addition to the caller's. memory_bytes:
    address space. confinement: that of `child.sandbox`.
    """

    timeout: float | None = None
    variables: Variables = field(default_factory=dict)
    memory_bytes: int | None = None
    confinement: Confinement | None = None


def predict(
    environment: Environment,
    model: Mapping[str, Any],
    input_path: Path,
    content_type: str,
    options: ProcessOptions,
    *,
    input_name: str = "",
    output_path: Path | None = None,
    params: Mapping[str, Any] | None = None,
) -> Any:
    """Run a model on an input file and return its predictions as JSON values.

    `model` is its `request()`; `params` override those of the input. Messages call the input
    `input_name`, default its path. With `output_path` the whole answer is also written there, whole
    or not at all.

    Raises `InvalidFile` when the input is at fault, `PredictionFailed` when the model is.
    """
    with scratch.folder() as private:
        answer = private / "answer.json"
        request = {
            **model,
            "job": "predict",
            "example": None,
            "input": {"path": str(input_path.absolute()), "content_type": content_type},
            "params": params,
            "output": str(answer),
            "memory_bytes": options.memory_bytes,
        }
        journal = _run(environment, request, options)
        refuse_failure(journal, input_name or str(input_path), options.timeout, options.confinement)
        text, predictions = _read_answer(answer)
        bytecode.keep(environment, _uncompiled(journal))
        if output_path is not None:
            _write_whole(text, output_path)
        return predictions


def answer_example(
    environment: Environment, model: Mapping[str, Any], options: ProcessOptions
) -> Any:
    """Load a model and return its answer to its own example, as a capture records it.

    A model without an example is only loaded; the answer is None. Raises `PredictionFailed`, and
    `InvalidFile` when the example is at fault.
    """
    example = model.get("example")
    input_name = example["path"] if example else "the example"
    with scratch.folder() as private:
        answer = private / "answer.json"
        request = {
            **model,
            "job": "predict",
            "input": None,
            "params": None,
            "output": str(answer),
            "memory_bytes": options.memory_bytes,
        }
        journal = _run(environment, request, options)
        refuse_failure(journal, input_name, options.timeout, options.confinement)
        if not example:
            return None
        _, predictions = _read_answer(answer)
        return predictions


def _run(environment: Environment, request: Mapping[str, Any], options: ProcessOptions) -> Journal:
    variables = variables_in(environment, options.variables)
    paths = interpreter_paths(environment, variables, options.confinement)
    try:
        with occupied(environment) as descriptors:
            journal = runner.run_inside(
                environment.python,
                request,
                environment=variables,
                timeout=options.timeout,
                isolated=environment.is_isolated,
                confinement=options.confinement,
                interpreter_paths=paths,
                inherit=descriptors,
            )
    except OSError as error:
        raise PredictionFailed("start", f"{environment.python}: {error.strerror}") from error
    if journal.died_at_start:
        # was it a Python at all?
        _describe(environment, variables)
    return journal


def interpreter_paths(
    environment: Environment, variables: Variables, confinement: Confinement | None
) -> tuple[Path, ...]:
    """Return what a sandbox must leave visible of the interpreter.

    A local interpreter, which the user named, is checked. Nothing is started where neither is
    needed. Raises `PredictionFailed`.
    """
    is_hidden = confinement is not None and confinement.program is not None
    is_unknown = not environment.is_isolated and environment.python != Path(sys.executable)
    if not is_hidden and not is_unknown:
        return ()
    facts = _describe(environment, variables)
    if is_hidden:
        return tuple(visible_paths(facts, variables))
    return ()


def _describe(environment: Environment, variables: Variables) -> InterpreterFacts:
    try:
        return describe(environment.python, environment=variables, isolated=environment.is_isolated)
    except NotAnInterpreter as error:
        raise PredictionFailed("start", str(error)) from error


def variables_in(environment: Environment, variables: Variables) -> dict[str, str]:
    """Return the variables of a model; in a local environment all that the caller has."""
    if environment.manager is EnvType.LOCAL:
        return {**os.environ, **variables}
    of_conda: Mapping[str, str] = {}
    if environment.manager is EnvType.CONDA:
        of_conda = conda_state.variables(environment.path)
    return variables_of.for_program(os.environ, environment.python, {**of_conda, **variables})


def refuse_failure(
    journal: Journal, input_name: str, timeout: float | None, confinement: Confinement | None
) -> None:
    """Raise `InvalidFile` or `PredictionFailed` for what a model's process did not do."""
    error = journal.error
    if error is not None:
        _raise_for(error, input_name, confinement)
    if journal.ended.timed_out:
        raise PredictionFailed(
            journal.phase, f"it was still running after {timeout:g} s and was stopped"
        )
    if not journal.done:
        raise PredictionFailed(journal.phase, f"its process {journal.failure}")


def _raise_for(error: Event, input_name: str, confinement: Confinement | None) -> NoReturn:
    problem = error["type"]
    if error["message"]:
        problem = f"{error['type']}: {error['message']}"
    if error["kind"] == "input":
        if error["type"] == "InvalidInput":
            # envkit's own check of the input: the message says all
            problem = error["message"]
        raise InvalidFile(input_name, "", problem)
    if confinement is not None:
        problem += confinement.hint(problem + error["traceback"])
    raise PredictionFailed(str(error["phase"]), problem, error["traceback"])


def _uncompiled(journal: Journal) -> list[object]:
    """Return the source files that a model's process says have no bytecode."""
    return [path for event in journal.named("uncompiled") for path in event["paths"]]


def _read_answer(path: Path) -> tuple[str, Any]:
    """Return the answer as text and the predictions in it.

    The model's code can write anything there.
    """
    try:
        text = left_behind.read(path, left_behind.ANSWER_BYTES).decode("utf-8")
        return text, json.loads(text)["predictions"]
    except FileNotFoundError:
        raise PredictionFailed("output", "it wrote no answer") from None
    except left_behind.NotReadable as error:
        raise PredictionFailed("output", f"its answer is not taken: {error}") from error
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise PredictionFailed("output", f"its answer is malformed: {error}") from error


def _write_whole(text: str, path: Path) -> None:
    """Write the answer, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InvalidArgument(
            f"The answer cannot be written to {path}: {error.strerror}."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
