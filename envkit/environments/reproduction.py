"""Rebuild the environment of a model and run the model in it: `prepare_env` and `predict` of the Python API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.child import variables as variables_of
from envkit.environments import r_environment
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.prepare import prepare
from envkit.errors import InvalidArgument, InvalidInput, ToolNotFound
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.uris.required_files import ENVIRONMENT

if TYPE_CHECKING:
    from envkit.child.sandbox import SandboxOption

CONTENT_TYPES = ("json", "csv", "parquet")
Report = Callable[[str], None]


def prepare_env(
    model_uri: str | Path,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Report | None = None,
) -> Environment:
    """Build the environment of a model in the environment store, unless it is there already.

    allow_source: let packages without a wheel be built, which runs their code.
    pip_requirements_override: a line, or several, that take the place of the model's requirements
    of the same name. python: the interpreter to build with; default: one of the model's version is
    looked for. python_policy: what may take its place: nothing (`exact`), another patch version
    (`minor`), another minor version (`compatible`). conda_exe: the conda, mamba or micromamba that
    makes a conda environment, or `embedded` for none; default: ENVKIT_CONDA_EXE, the PATH, else
    py-rattler. report: called with a line of text as work goes on.

    Raises `InvalidArgument` for an unknown `env_manager` or `python_policy`, `ModelNotFound`,
    `InvalidFile` and `PathOutsideModel` for what is wrong with the model, `InterpreterNotFound`,
    `ToolNotFound`, `BuildFailed`.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    return prepare_model(ModelDirectory.open(model_uri, ENVIRONMENT), choice, report)


def predict(
    model_uri: str | Path,
    input_data: Any = None,
    input_path: str | Path | None = None,
    content_type: str = "json",
    output_path: str | Path | None = None,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    extra_envs: Mapping[str, str] | None = None,
    timeout: float | None = None,
    memory_bytes: int | None = None,
    sandbox: SandboxOption = None,
    report: Report | None = None,
) -> Any:
    """Predict with a model in its rebuilt environment; the environment is built when it is not there.

    Give either `input_data` (a DataFrame, Series, array, list, a mapping with one of
    `dataframe_split`, `dataframe_records`, `instances`, `inputs`, or text that is such JSON or CSV)
    or `input_path`, a file of `content_type` `json`, `csv` or `parquet`. extra_envs: environment
    variables for the model. timeout: seconds. memory_bytes: address space for the model.
    output_path: a file for `{"predictions": …}`. sandbox: True confines the model by the best there
    is, bubblewrap or resource limits; `"bubblewrap"` or `"limits"` by that and nothing else.

    Returns the predictions as JSON values: a list of records for a DataFrame, a list for an array.

    Raises what `prepare_env` raises, `InvalidFile` when the input is at fault, `PredictionFailed`
    when the model is, `ToolNotFound` when bubblewrap is insisted on and does not work.
    """
    # this and what follows: 20 ms that preparing an environment does not cost
    from envkit.child import scratch
    from envkit.child.sandbox import confinement
    from envkit.environments import prediction

    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    if content_type not in CONTENT_TYPES:
        raise InvalidArgument(
            f"content_type must be one of {', '.join(CONTENT_TYPES)}, not {content_type!r}."
        )
    if (input_data is None) == (input_path is None):
        raise InvalidArgument("Give either input_data or input_path.")
    variables_of.check(extra_envs or {})
    if output_path is not None and not Path(output_path).absolute().parent.is_dir():
        raise InvalidArgument(
            f"The answer cannot be written to {output_path}: there is no such folder."
        )
    model = ModelDirectory.open(model_uri)
    confined = confinement(sandbox, report)
    with scratch.folder() as folder:
        named = Path(input_path) if input_path is not None else None
        data = input_data if named is None else _streamed(named)
        if named is None or data is not None:
            given = _written(data, content_type, folder)
        else:
            given = named
        environment = prepare_model(model, choice, report)
        return prediction.predict(
            environment,
            model.request(),
            given,
            content_type,
            input_name=str(named or "the input"),
            output_path=Path(output_path) if output_path is not None else None,
            timeout=timeout,
            variables=extra_envs,
            memory_bytes=memory_bytes,
            confinement=confined,
        )


def prepare_model(
    model: ModelDirectory, choice: EnvironmentChoice, report: Report | None = None
) -> Environment:
    """Build the environment of an open model unless it is in the store, and report its notes.

    Raises what `prepare_env` raises.
    """
    if model.mlmodel.runs_in_r:
        return r_environment.prepare(choice, report)
    spec = read_spec(model, for_conda=choice.manager is EnvType.CONDA)
    environment = prepare(spec, choice, report=report)
    if report is not None:
        for note in environment.notes:
            report(note)
    return environment


def _streamed(path: Path) -> bytes | None:
    """Read what the model's process could not: a pipe, `/dev/stdin`; None for a file."""
    if path.is_file():
        return None
    if path.is_dir() or not path.exists():
        raise InvalidInput(f"No input file at {path}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def _written(data: Any, content_type: str, folder: Path) -> Path:
    """Put data that was given in Python into a file, as the model's process reads it."""
    path = folder / f"input.{content_type}"
    if content_type == "parquet":
        data = _parquet(data)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        if isinstance(data, str):
            text = data
        else:
            text = _payload(data, content_type)
        try:
            path.write_text(text, encoding="utf-8")
        except UnicodeEncodeError as error:
            raise InvalidArgument(
                f"input_data is no text that can be written as UTF-8: {error}."
            ) from None
    return path


def _parquet(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if not hasattr(data, "to_parquet"):
        raise InvalidArgument(
            "For content_type 'parquet', input_data must be a DataFrame, or the bytes of such a file."
        )
    try:
        return bytes(data.to_parquet())
    except ImportError as error:
        raise ToolNotFound(
            "pyarrow", "Writing a DataFrame as Parquet needs it; or give it as JSON."
        ) from error


def _payload(data: Any, content_type: str) -> str:
    """Frames, series and arrays are told by what they can do, so that their libraries need not be imported."""
    if content_type == "csv":
        if hasattr(data, "to_csv"):
            return str(data.to_csv(index=False))
        raise InvalidArgument("For content_type 'csv', input_data must be a DataFrame, or text.")
    from envkit.models.request import request_of  # as above

    try:
        return json.dumps(request_of(data))
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"input_data cannot be written as JSON: {error}.") from None
