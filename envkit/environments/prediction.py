"""Predict with a model inside an environment."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from envkit.child import process, runner, scratch
from envkit.child import variables as variables_of
from envkit.child.journal import Journal
from envkit.child.sandbox import Confinement
from envkit.environments.conda import state as conda_state
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.store.in_use import occupied
from envkit.errors import InvalidArgument, InvalidFile, NotAnInterpreter, PredictionFailed
from envkit.interpreters.describe import describe
from envkit.interpreters.facts import InterpreterFacts
from envkit.interpreters.visible_paths import visible_paths

COMPILE_SECONDS = 60.0


def predict(
    environment: Environment,
    model: Mapping[str, Any],
    input_path: Path,
    content_type: str,
    *,
    input_name: str = "",
    output_path: Path | None = None,
    params: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    variables: Mapping[str, str] | None = None,
    memory_bytes: int | None = None,
    confinement: Confinement | None = None,
) -> Any:
    """Run a model on an input file and give its predictions, as JSON holds them.

    `model` has the request's `model`, `python_function`, `flavors` and `signature`; `content_type`
    is `json` or `csv`. Messages call the input `input_name`, default its path. With `output_path`
    the whole answer is also put there, whole or not at all. `timeout` is in seconds, `variables`
    are set for the model in addition to the caller's. `confinement` is that of
    `envkit.child.sandbox`.

    Raises `InvalidFile` when the input is at fault, `PredictionFailed` when the model is.
    """
    with scratch.folder() as private:
        answer = private / "answer.json"
        request = {
            **model,
            "job": "predict",
            "example": None,
            "input": {"path": str(input_path.absolute()), "content_type": content_type},
            "params": dict(params) if params is not None else None,
            "output": str(answer),
            "memory_bytes": memory_bytes,
        }
        journal = _run(environment, request, variables or {}, timeout, confinement)
        refuse_failure(journal, input_name or str(input_path), timeout, confinement)
        text, predictions = _answer(answer)
        keep_bytecode(
            environment, [path for event in journal.named("uncompiled") for path in event["paths"]]
        )
        if output_path is not None:
            _put(text, output_path)
        return predictions


def answer_example(
    environment: Environment,
    model: Mapping[str, Any],
    *,
    timeout: float | None = None,
    variables: Mapping[str, str] | None = None,
    memory_bytes: int | None = None,
    confinement: Confinement | None = None,
) -> Any:
    """Load a model and give its answer to its own example, as a capture takes it; None for one without an example.

    Arguments are those of `predict`. Raises `PredictionFailed`, `InvalidFile` when the example is
    at fault.
    """
    with scratch.folder() as private:
        answer = private / "answer.json"
        rest = {
            "job": "predict",
            "input": None,
            "params": None,
            "output": str(answer),
            "memory_bytes": memory_bytes,
        }
        journal = _run(environment, {**model, **rest}, variables or {}, timeout, confinement)
        example = model.get("example")
        refuse_failure(journal, example["path"] if example else "the example", timeout, confinement)
        if example:
            return _answer(answer)[1]
        return None


def _run(
    environment: Environment,
    request: Mapping[str, Any],
    variables: Mapping[str, str],
    timeout: float | None,
    confinement: Confinement | None,
) -> Journal:
    all_variables = variables_in(environment, variables)
    paths = interpreter_paths(environment, all_variables, confinement)
    try:
        with occupied(environment) as descriptors:
            journal = runner.run_inside(
                environment.python,
                request,
                environment=all_variables,
                timeout=timeout,
                isolated=environment.is_isolated,
                confinement=confinement,
                interpreter_paths=paths,
                inherit=descriptors,
            )
    except OSError as error:
        raise PredictionFailed("start", f"{environment.python}: {error.strerror}") from error
    if journal.died_at_start:
        # was it a Python at all?
        _describe(environment, all_variables)
    return journal


def interpreter_paths(
    environment: Environment, variables: Mapping[str, str], confinement: Confinement | None
) -> tuple[Path, ...]:
    """Return what the sandbox must leave visible of the interpreter; check a local one, which the user named.

    Nothing is started where neither is needed. Raises `PredictionFailed`.
    """
    is_hidden = confinement is not None and confinement.program is not None
    is_unknown = not environment.is_isolated and environment.python != Path(sys.executable)
    if not is_hidden and not is_unknown:
        return ()
    facts = _describe(environment, variables)
    if is_hidden:
        return tuple(visible_paths(facts, variables))
    return ()


def _describe(environment: Environment, variables: Mapping[str, str]) -> InterpreterFacts:
    try:
        return describe(environment.python, environment=variables, isolated=environment.is_isolated)
    except NotAnInterpreter as error:
        raise PredictionFailed("start", str(error)) from error


def variables_in(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of a model; a local environment is the user's own, seen as the user has it."""
    if environment.manager is EnvType.LOCAL:
        return {**os.environ, **variables}
    if environment.manager is EnvType.CONDA:
        own = conda_state.variables(environment.path)
    else:
        own = {}
    return variables_of.for_program(os.environ, environment.python, {**own, **variables})


def refuse_failure(
    journal: Journal, input_name: str, timeout: float | None, confinement: Confinement | None
) -> None:
    """Raise `InvalidFile` or `PredictionFailed` for what a model's process did not do."""
    if error := journal.error:
        if error["message"]:
            said = f"{error['type']}: {error['message']}"
        else:
            said = error["type"]
        if error.get("kind") == "input":
            raise InvalidFile(
                input_name, "", error["message"] if error["type"] == "InvalidInput" else said
            )
        phase = str(error["phase"])
        if confinement:
            hint = confinement.hint(said + error["traceback"])
        else:
            hint = ""
        raise PredictionFailed(phase, said + hint, error["traceback"])
    if journal.ended.timed_out:
        raise PredictionFailed(
            journal.phase, f"it was still running after {timeout:g} s and was stopped"
        )
    if not journal.done:
        raise PredictionFailed(journal.phase, f"its process {journal.ended.how}")


def keep_bytecode(environment: Environment, told: Sequence[str]) -> None:
    """Compile what a confined model imported from its environment: it could not, and would do it anew each time."""
    if environment.manager is EnvType.LOCAL or not os.access(environment.path, os.W_OK):
        return
    inner = f"{environment.path}/"
    paths = [
        path for path in told if path.startswith(inner) and "\n" not in path and "/../" not in path
    ]
    if not paths:
        return
    with tempfile.NamedTemporaryFile(
        "w", prefix="envkit-", encoding="utf-8", errors="surrogateescape"
    ) as names:
        names.write("\n".join(paths))
        names.flush()
        argv: list[str | Path] = [
            environment.python,
            "-I",
            "-m",
            "compileall",
            "-q",
            "-i",
            names.name,
        ]
        variables = variables_of.for_program(os.environ, environment.python)
        # a luxury: it may fail
        process.run(argv, environment=variables, timeout=COMPILE_SECONDS, keep_output=True)


def _answer(path: Path) -> tuple[str, Any]:
    """Give the answer as text and the predictions in it; a model's code may have done anything to the file."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, json.loads(text)["predictions"]
    except FileNotFoundError:
        raise PredictionFailed("output", "there is none") from None
    except (OSError, ValueError, RecursionError, TypeError, KeyError) as error:
        raise PredictionFailed("output", f"its answer is malformed: {error}") from error


def _put(text: str, path: Path) -> None:
    """Put the answer where it is wanted, whole or not at all."""
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
